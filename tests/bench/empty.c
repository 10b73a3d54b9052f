/* A program that does nothing: what the dynamic linker costs a program with the libraries of
 * dwclean. */
int
main(void)
{
    return 0;
}

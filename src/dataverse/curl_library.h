/**
 * libcurl, loaded when Dataverse is asked for: with the libraries that it brings along it took a
 * fifth of the start of every command. To be included in place of <curl/curl.h> (base/library.h).
 */
#ifndef DATAVERSE_CURL_LIBRARY_H
#define DATAVERSE_CURL_LIBRARY_H

#include "base/library.h"

#include <curl/curl.h>

/** What is called of it. */
#define CURL_FUNCTIONS(X)                                                                          \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_escape)                                                                            \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_header)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_reset)                                                                             \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_free)                                                                                   \
    X(curl_global_cleanup)                                                                         \
    X(curl_global_init)                                                                            \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_socket_action)                                                                    \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_url)                                                                                    \
    X(curl_url_cleanup)                                                                            \
    X(curl_url_dup)                                                                                \
    X(curl_url_get)                                                                                \
    X(curl_url_set)                                                                                \
    X(curl_version_info)

struct curl_functions {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define CURL_MEMBER(name) __typeof__(&(name)) p_##name;
    CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/** The library; its functions, once it is loaded. */
extern struct library curl_library;
extern struct curl_functions curl_functions;

/** The functions; the library is loaded for the first call. */
static inline const struct curl_functions *
curl_use(void)
{
    library_use(&curl_library);
    return &curl_functions;
}

/* DWCLEAN_CURL_LINKED: compiled in passing, so that curl's own macros check the types of options
 * and information, which a call through a pointer gets around. */
#ifndef DWCLEAN_CURL_LINKED
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
/* clang-format off */
#define curl_easy_cleanup curl_use()->p_curl_easy_cleanup
#define curl_easy_escape curl_use()->p_curl_easy_escape
#define curl_easy_getinfo curl_use()->p_curl_easy_getinfo
#define curl_easy_header curl_use()->p_curl_easy_header
#define curl_easy_init curl_use()->p_curl_easy_init
#define curl_easy_reset curl_use()->p_curl_easy_reset
#define curl_easy_setopt curl_use()->p_curl_easy_setopt
#define curl_easy_strerror curl_use()->p_curl_easy_strerror
#define curl_free curl_use()->p_curl_free
#define curl_global_cleanup curl_use()->p_curl_global_cleanup
#define curl_global_init curl_use()->p_curl_global_init
#define curl_multi_add_handle curl_use()->p_curl_multi_add_handle
#define curl_multi_cleanup curl_use()->p_curl_multi_cleanup
#define curl_multi_info_read curl_use()->p_curl_multi_info_read
#define curl_multi_init curl_use()->p_curl_multi_init
#define curl_multi_remove_handle curl_use()->p_curl_multi_remove_handle
#define curl_multi_setopt curl_use()->p_curl_multi_setopt
#define curl_multi_socket_action curl_use()->p_curl_multi_socket_action
#define curl_slist_append curl_use()->p_curl_slist_append
#define curl_slist_free_all curl_use()->p_curl_slist_free_all
#define curl_url curl_use()->p_curl_url
#define curl_url_cleanup curl_use()->p_curl_url_cleanup
#define curl_url_dup curl_use()->p_curl_url_dup
#define curl_url_get curl_use()->p_curl_url_get
#define curl_url_set curl_use()->p_curl_url_set
#define curl_version_info curl_use()->p_curl_version_info
/* clang-format on */
#endif

#endif

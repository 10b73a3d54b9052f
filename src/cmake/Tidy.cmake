# DWCLEAN_TIDY=quick|deep: clang-tidy beside the compiler. Nearly all of its time is the static analyzer's, which follows
# the paths of a function: "quick" gives it a limit (a fifth of the time), "deep" does not (for the night).
set(DWCLEAN_TIDY "" CACHE STRING "clang-tidy beside the compiler: quick or deep")
if(DWCLEAN_TIDY STREQUAL "deep")
  set(CMAKE_C_CLANG_TIDY clang-tidy)
elseif(DWCLEAN_TIDY STREQUAL "quick")
  set(CMAKE_C_CLANG_TIDY clang-tidy --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang
    --extra-arg=max-nodes=20000)
elseif(DWCLEAN_TIDY)
  message(FATAL_ERROR "DWCLEAN_TIDY is quick or deep, not ${DWCLEAN_TIDY}")
endif()

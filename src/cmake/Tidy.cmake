# DWCLEAN_TIDY=quick|deep: clang-tidy beside the compiler. Nearly all of its time is the static analyzer's, which follows
# every path of a function: "quick" gives it a limit, and tests a shallow look; "deep" neither (for the night).
set(DWCLEAN_TIDY "" CACHE STRING "clang-tidy beside the compiler: quick or deep")
set(analyzer --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang)
if(DWCLEAN_TIDY STREQUAL "deep")
  set(CMAKE_C_CLANG_TIDY clang-tidy)
  set(dwclean_tidy_tests clang-tidy)
elseif(DWCLEAN_TIDY STREQUAL "quick")
  set(CMAKE_C_CLANG_TIDY clang-tidy ${analyzer} --extra-arg=max-nodes=50000)
  set(dwclean_tidy_tests clang-tidy ${analyzer} --extra-arg=mode=shallow)
elseif(DWCLEAN_TIDY)
  message(FATAL_ERROR "DWCLEAN_TIDY is quick or deep, not ${DWCLEAN_TIDY}")
endif()

# Warnings for every target of this project, sanitizers when asked for, hardening in release builds.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wsign-conversion -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wcast-qual -Wpointer-arith
  -Wwrite-strings -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -fno-common
  -include "${CMAKE_CURRENT_SOURCE_DIR}/include/base/poison.h"
  $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  $<$<C_COMPILER_ID:Clang>:-Wdocumentation -Wcomma -Wconditional-uninitialized>)

# 64-bit file offsets and time whatever the platform; GNU extensions of libc.
target_compile_definitions(warnings INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)

if(DWCLEAN_SANITIZE)
  target_compile_options(warnings INTERFACE -fsanitize=${DWCLEAN_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(warnings INTERFACE -fsanitize=${DWCLEAN_SANITIZE})
endif()

# The same bytes from the same sources, wherever they lie: of generated sources too.
add_compile_options("-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}=." "-ffile-prefix-map=${CMAKE_CURRENT_BINARY_DIR}=.")

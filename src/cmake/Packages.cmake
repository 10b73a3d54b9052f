# The libraries of design and CONTRIBUTING.md, all from Debian 12.
find_package(PkgConfig REQUIRED)
pkg_check_modules(UUID REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ARCHIVE REQUIRED libarchive)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)

# dwclean_loaded(<target> <definition> <library> <include dirs>): a library that is not linked but loaded when it is needed
# (base/library.h, src/backup/tar_library.c), by the name that a linker would have written down. The files are listed in
# dwclean_loaded_files.
set(dwclean_loaded_files "")
function(dwclean_loaded target definition library includes)
  file(REAL_PATH "${library}" file)
  if(NOT file MATCHES "/(lib[a-z]+\\.so\\.[0-9]+)[^/]*$")
    message(FATAL_ERROR "${library} is no shared library with a version")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} INTERFACE ${includes})
  target_compile_definitions(${target} INTERFACE "${definition}=\"${CMAKE_MATCH_1}\"")
  set(dwclean_loaded_files ${dwclean_loaded_files} "${file}" PARENT_SCOPE)
endfunction()
list(GET SSL_LINK_LIBRARIES 0 ssl_file)
list(GET CURL_LINK_LIBRARIES 0 curl_file)
list(GET CRYPTO_LINK_LIBRARIES 0 crypto_file)
dwclean_loaded(archive_loaded DWCLEAN_TAR_LIBRARY "${ARCHIVE_LINK_LIBRARIES}" "${ARCHIVE_INCLUDE_DIRS}")
dwclean_loaded(curl_loaded DWCLEAN_CURL_LIBRARY "${curl_file}" "${CURL_INCLUDE_DIRS}")
dwclean_loaded(ssl_loaded DWCLEAN_SSL_LIBRARY "${ssl_file}" "${SSL_INCLUDE_DIRS}")
dwclean_loaded(crypto_loaded DWCLEAN_CRYPTO_LIBRARY "${crypto_file}" "${CRYPTO_INCLUDE_DIRS}")

# FreeTDS ships no pkg-config file.
find_path(FREETDS_INCLUDE_DIR sybdb.h REQUIRED)
find_library(FREETDS_SYBDB_LIBRARY sybdb REQUIRED)
add_library(FreeTDS::sybdb UNKNOWN IMPORTED)
set_target_properties(FreeTDS::sybdb PROPERTIES IMPORTED_LOCATION "${FREETDS_SYBDB_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${FREETDS_INCLUDE_DIR}")

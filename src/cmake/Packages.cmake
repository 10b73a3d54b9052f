# The libraries of design and CONTRIBUTING.md, all from Debian 12.
find_package(PkgConfig REQUIRED)
pkg_check_modules(UUID REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ARCHIVE REQUIRED libarchive)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)

# libarchive is not linked: src/backup/tar_library.c loads it, by the name that a linker would have written down.
file(REAL_PATH "${ARCHIVE_LINK_LIBRARIES}" archive_file)
if(NOT archive_file MATCHES "/(libarchive\\.so\\.[0-9]+)[^/]*$")
  message(FATAL_ERROR "${ARCHIVE_LINK_LIBRARIES} is no shared library with a version")
endif()
add_library(archive_loaded INTERFACE)
target_include_directories(archive_loaded INTERFACE ${ARCHIVE_INCLUDE_DIRS})
target_compile_definitions(archive_loaded INTERFACE "DWCLEAN_TAR_LIBRARY=\"${CMAKE_MATCH_1}\"")

# FreeTDS ships no pkg-config file.
find_path(FREETDS_INCLUDE_DIR sybdb.h REQUIRED)
find_library(FREETDS_SYBDB_LIBRARY sybdb REQUIRED)
add_library(FreeTDS::sybdb UNKNOWN IMPORTED)
set_target_properties(FreeTDS::sybdb PROPERTIES IMPORTED_LOCATION "${FREETDS_SYBDB_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${FREETDS_INCLUDE_DIR}")

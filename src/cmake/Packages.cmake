# The libraries of design and CONTRIBUTING.md, all from Debian 12.
find_package(PkgConfig REQUIRED)
pkg_check_modules(UUID REQUIRED IMPORTED_TARGET uuid)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)

# FreeTDS ships no pkg-config file.
find_path(FREETDS_INCLUDE_DIR sybdb.h REQUIRED)
find_library(FREETDS_SYBDB_LIBRARY sybdb REQUIRED)
add_library(FreeTDS::sybdb UNKNOWN IMPORTED)
set_target_properties(FreeTDS::sybdb PROPERTIES IMPORTED_LOCATION "${FREETDS_SYBDB_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${FREETDS_INCLUDE_DIR}")

# Runs in cpack. One time for every file of the packages, and one zone and language for what names them.
set(ENV{SOURCE_DATE_EPOCH} "${CPACK_DWCLEAN_SOURCE_TIME}")
set(ENV{TZ} UTC)
set(ENV{LC_ALL} C)

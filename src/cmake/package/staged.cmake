# Runs in cpack, on the files that will be packed.
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Manual pages are compressed, without a time in them.
file(GLOB_RECURSE pages LIST_DIRECTORIES false "${root}/usr/share/man/*.[0-9]")
foreach(page IN LISTS pages)
  run(gzip -9 -n -f "${page}")
endforeach()

# The debug symbols go into a package of their own, as dh_strip does it. CPACK_DEBIAN_DEBUGINFO_PACKAGE of CMake 3.25 writes
# paths of the build machine into md5sums and leaves copyright and changelog out.
set(program "${root}/usr/bin/dwclean")
# its status is 1 where it does not know a note (.note.dlopen)
execute_process(COMMAND readelf -n "${program}" OUTPUT_VARIABLE notes)
if(NOT notes MATCHES "Build ID: ([0-9a-f][0-9a-f])([0-9a-f]+)")
  message(FATAL_ERROR "${program} has no build id")
endif()
set(build_id "${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
set(debug_file "usr/lib/debug/.build-id/${CMAKE_MATCH_1}/${CMAKE_MATCH_2}.debug")
set(symbols "${root}-dbgsym")
file(REMOVE_RECURSE "${symbols}")
get_filename_component(debug_dir "${symbols}/${debug_file}" DIRECTORY)
file(MAKE_DIRECTORY "${debug_dir}" "${symbols}/DEBIAN" "${symbols}/usr/share/doc")
file(CREATE_LINK dwclean "${symbols}/usr/share/doc/dwclean-dbgsym" SYMBOLIC)
run(objcopy --only-keep-debug --compress-debug-sections "${program}" "${symbols}/${debug_file}")
run(strip --remove-section=.comment --remove-section=.note "${program}")
run(objcopy "--add-gnu-debuglink=${symbols}/${debug_file}" "${program}")

execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE architecture OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
file(SIZE "${symbols}/${debug_file}" bytes)
math(EXPR kib "(${bytes} + 1023) / 1024")
file(WRITE "${symbols}/DEBIAN/control" "Package: dwclean-dbgsym
Source: dwclean
Version: ${CPACK_PACKAGE_VERSION}
Auto-Built-Package: debug-symbols
Architecture: ${architecture}
Maintainer: ${CPACK_PACKAGE_CONTACT}
Installed-Size: ${kib}
Depends: dwclean (= ${CPACK_PACKAGE_VERSION})
Section: debug
Priority: optional
Description: debug symbols for dwclean
Build-Ids: ${build_id}
")
file(MD5 "${symbols}/${debug_file}" digest)
file(WRITE "${symbols}/DEBIAN/md5sums" "${digest}  ${debug_file}\n")
# Modes and times do not depend on who builds, and when.
run(chmod 0644 "${symbols}/${debug_file}")
run(chmod -R u=rwX,go=rX "${symbols}")
run(find "${symbols}" -exec touch -h -d "@$ENV{SOURCE_DATE_EPOCH}" {} +)
run(dpkg-deb --root-owner-group -Zgzip --build "${symbols}"
  "${CPACK_PACKAGE_DIRECTORY}/dwclean-dbgsym_${CPACK_PACKAGE_VERSION}_${architecture}.deb")

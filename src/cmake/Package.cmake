# The .deb, by CPack. DWCLEAN_PACKAGE (preset `package`) adds what only a package has.
option(DWCLEAN_PACKAGE "install what only a Debian package has: changelog, lintian overrides" OFF)
# A reserved domain (RFC 2606): who gives packages away puts an address of their own here.
set(DWCLEAN_MAINTAINER "dwclean maintainers <maintainers@dwclean.example.org>" CACHE STRING "maintainer of the .deb")

# The time of the sources: that of the last commit, or of the changes; SOURCE_DATE_EPOCH decides where it is set.
function(dwclean_source_time ret)
  set(time "$ENV{SOURCE_DATE_EPOCH}")
  if(NOT time AND EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/.git")
    execute_process(COMMAND git log -1 --format=%ct WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
      OUTPUT_VARIABLE time OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  if(NOT time MATCHES "^[0-9]+$")
    file(TIMESTAMP "${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md" time "%s" UTC)
  endif()
  set(${ret} "${time}" PARENT_SCOPE)
endfunction()
dwclean_source_time(DWCLEAN_SOURCE_TIME)

# What the program consists of, beside it: for whoever must know which library is in it.
if(DWCLEAN_PACKAGE)
  add_custom_command(TARGET dwclean POST_BUILD COMMAND "${CMAKE_COMMAND}" "-DPROGRAM=$<TARGET_FILE:dwclean>" "-DLOADED=${dwclean_loaded_files}"
    "-DVERSION=${PROJECT_VERSION}" "-DTIME=${DWCLEAN_SOURCE_TIME}" "-DOUT=${CMAKE_CURRENT_BINARY_DIR}/sbom.cdx.json"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/src/cmake/Sbom.cmake" VERBATIM)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/sbom.cdx.json" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endif()

set(package_dir "${CMAKE_CURRENT_SOURCE_DIR}/src/cmake/package")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dwclean)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_VENDOR "The dwclean authors")
set(CPACK_PACKAGE_CONTACT "${DWCLEAN_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "removes stale dual-write rows after a restore, and proves it")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
[[After a backup of a Dynamics 365 finance and operations database is restored,
or a Dataverse environment is copied, dual-write's run-time rows still name
the environment that the backup came from. dwclean says on both sides whether
that is so, with evidence; removes exactly these rows, each backed up and read
back before; and calls the target clean only after a fresh look. Runs can be
audited, resumed and undone.]])
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PROJECT_CONFIG_FILE "${package_dir}/before.cmake")
set(CPACK_PRE_BUILD_SCRIPTS "${package_dir}/staged.cmake")
set(CPACK_POST_BUILD_SCRIPTS "${package_dir}/packed.cmake")
set(CPACK_DWCLEAN_SOURCE_TIME "${DWCLEAN_SOURCE_TIME}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# dpkg-shlibdeps sees what is linked; what is loaded when it is needed is told here, as dpkg knows it on this machine.
if(DWCLEAN_PACKAGE)
  set(loaded_packages "")
  foreach(file IN LISTS dwclean_loaded_files)
    string(REGEX REPLACE "^/usr/lib/" "/lib/" short "${file}")
    execute_process(COMMAND dpkg-query -S "${file}" "${short}" OUTPUT_VARIABLE owner ERROR_QUIET)
    if(NOT owner MATCHES "^([^: \n]+)")
      message(FATAL_ERROR "${file}, which the program loads, belongs to no package")
    endif()
    list(APPEND loaded_packages "${CMAKE_MATCH_1}")
  endforeach()
  list(REMOVE_DUPLICATES loaded_packages)
  list(JOIN loaded_packages ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)

if(DWCLEAN_PACKAGE)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C date -u -R -d "@${DWCLEAN_SOURCE_TIME}"
    OUTPUT_VARIABLE DWCLEAN_SOURCE_DATE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  configure_file("${package_dir}/changelog.in" "${CMAKE_CURRENT_BINARY_DIR}/package/changelog" @ONLY)
  execute_process(COMMAND gzip -9 -n -f -k "${CMAKE_CURRENT_BINARY_DIR}/package/changelog" COMMAND_ERROR_IS_FATAL ANY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/package/changelog.gz" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endif()

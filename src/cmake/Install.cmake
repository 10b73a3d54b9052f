# What `cmake --install` puts where. src/cli has rules of its own for what it generates.
install(TARGETS dwclean RUNTIME)
install(FILES README.md CHANGELOG.md SECURITY.md src/cmake/package/copyright DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY fixtures/examples/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples"
  FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(GLOB schemas CONFIGURE_DEPENDS include/report/*.schema.json)
install(FILES ${schemas} DESTINATION "${CMAKE_INSTALL_DATADIR}/dwclean/schemas")

# dwclean_docs(): manual pages and completion scripts, made at build time from the tables of options,
# commands and errors, and where they are installed. Same sources, same bytes: the date of the pages is
# that of SOURCE_DATE_EPOCH, else of the version in CHANGELOG.md, else of the text.
set(DWCLEAN_ZSH_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING
  "where the completion for zsh is installed; Debian's own packages use share/zsh/vendor-completions")

function(dwclean_docs)
  set(date 2026-11-22)
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md" released REGEX "^## ${PROJECT_VERSION}, [0-9-]+$")
  if(released)
    string(REGEX REPLACE "^.*, " "" date "${released}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md")

  set(source "${CMAKE_CURRENT_SOURCE_DIR}/src/cli/docs")
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/doc")
  add_executable(dwclean-docs "${source}/docs.c")
  target_link_libraries(dwclean-docs PRIVATE warnings cli)
  target_compile_definitions(dwclean-docs PRIVATE DWCLEAN_VERSION="${PROJECT_VERSION}")
  set(pages dwclean.1 dwclean-config.5)
  set(made)
  foreach(page IN LISTS pages)
    add_custom_command(OUTPUT "${dir}/${page}"
      COMMAND dwclean-docs manual "${source}/${page}.in" ${date} "${dir}/${page}"
      DEPENDS dwclean-docs "${source}/${page}.in" VERBATIM)
    list(APPEND made "${dir}/${page}")
  endforeach()
  foreach(shell IN ITEMS bash zsh fish)
    string(REPLACE "dwclean.zsh" _dwclean script "dwclean.${shell}")
    add_custom_command(OUTPUT "${dir}/${script}" COMMAND dwclean-docs completion ${shell} "${dir}/${script}"
      DEPENDS dwclean-docs VERBATIM)
    list(APPEND made "${dir}/${script}")
  endforeach()
  add_custom_target(docs ALL DEPENDS ${made})

  install(FILES "${dir}/dwclean.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES "${dir}/dwclean-config.5" DESTINATION "${CMAKE_INSTALL_MANDIR}/man5")
  install(FILES "${dir}/dwclean.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME dwclean)
  install(FILES "${dir}/_dwclean" DESTINATION "${DWCLEAN_ZSH_DIR}")
  install(FILES "${dir}/dwclean.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endfunction()

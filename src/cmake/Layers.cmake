# dwclean_layer(<name> USES <libraries>): a static library from every src/<name>/*.c. A layer without
# sources yet, or of headers only (port), is an interface library.
function(dwclean_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 L "" "" "USES")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.c")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}/include")
    target_link_libraries(${name} PRIVATE warnings PUBLIC ${L_USES})
    target_compile_definitions(${name} PRIVATE DWCLEAN_VERSION="${PROJECT_VERSION}")
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}/include")
    target_link_libraries(${name} INTERFACE ${L_USES})
  endif()
endfunction()

# dwclean_embed(<target> FILES <glob> [PREFIX <text>]): each file as `const char <prefix><stem>[]` in
# "<target>.h".
function(dwclean_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 E "" "FILES;PREFIX" "")
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/generated")
  file(GLOB files CONFIGURE_DEPENDS "${E_FILES}")
  set(script "${CMAKE_CURRENT_SOURCE_DIR}/src/cmake/EmbedText.cmake")
  add_custom_command(OUTPUT "${dir}/${target}.c" "${dir}/${target}.h"
    COMMAND ${CMAKE_COMMAND} "-DOUT=${dir}/${target}.c" "-DFILES=${E_FILES}" "-DPREFIX=${E_PREFIX}" -P "${script}"
    DEPENDS ${files} "${script}" VERBATIM)
  add_library(${target} STATIC "${dir}/${target}.c")
  target_include_directories(${target} PUBLIC "${dir}")
endfunction()

# dwclean_embed_sql(<target>): sql/*.sql as `const char sql_<stem>[]`.
function(dwclean_embed_sql target)
  dwclean_embed(${target} FILES "${CMAKE_CURRENT_SOURCE_DIR}/sql/*.sql" PREFIX sql_)
endfunction()

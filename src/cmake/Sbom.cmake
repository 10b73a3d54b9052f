# cmake -DPROGRAM=dwclean -DLOADED=libraries -DVERSION=0.1.0 -DTIME=seconds -DOUT=file.json -P Sbom.cmake
# CycloneDX 1.5: the program and every library that is loaded with it, or by it later (LOADED: files, with all that they
# bring), with version, supplier, licence and what needs what, as dpkg knows them on the machine that builds. The same
# bytes from the same program and packages.

# run(<result> <command>...): standard output; a status other than 0 ends the build.
function(run ret)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${ret} "${out}" PARENT_SCOPE)
endfunction()

function(json_text ret text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REGEX REPLACE "[\t\r\n]+" " " text "${text}")
  set(${ret} "\"${text}\"" PARENT_SCOPE)
endfunction()

# Libraries whose licence is not that of the head of their package's copyright file, which has several.
set(licence_of_libsmartcols1 "LGPL-2.1-or-later")
set(licence_of_libkeyutils1 "LGPL-2.0-or-later")
set(licence_of_libcom-err2 "MIT")
set(licence_of_libidn2-0 "GPL-2.0-or-later OR LGPL-3.0-or-later")
set(licence_of_libgnutls30 "LGPL-2.1-or-later")
set(licence_of_libc6 "LGPL-2.1-or-later")
set(licence_of_libgcc-s1 "GPL-3.0-or-later WITH GCC-exception-3.1")
set(licence_of_libstdc++6 "GPL-3.0-or-later WITH GCC-exception-3.1")

# What Debian's copyright files write, and SPDX.
set(debian_names Expat MIT ISC curl zlib Zlib Apache-2.0 BSD-2-clause BSD-2-Clause BSD-3-clause BSD-3-Clause BSD-4-clause
  LGPL-2+ LGPL-2.1+ LGPL-2.1 LGPL-3+ GPL-2 GPL-2+ GPL-3+ OpenLDAP-2.8)
set(spdx_names MIT MIT ISC curl Zlib Zlib Apache-2.0 BSD-2-Clause BSD-2-Clause BSD-3-Clause BSD-3-Clause BSD-4-Clause
  LGPL-2.0-or-later LGPL-2.1-or-later LGPL-2.1-only LGPL-3.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-or-later
  OLDAP-2.8)

# spdx(<result> <text>): "GPL-2+ or LGPL-3+" in SPDX's words; nothing where one of them is not known.
function(spdx ret text)
  string(REPLACE " or " ";" parts "${text}")
  set(terms "")
  foreach(part IN LISTS parts)
    list(FIND debian_names "${part}" at)
    if(at LESS 0)
      set(${ret} "" PARENT_SCOPE)
      return()
    endif()
    list(GET spdx_names ${at} term)
    list(APPEND terms "${term}")
  endforeach()
  list(JOIN terms " OR " terms)
  set(${ret} "${terms}" PARENT_SCOPE)
endfunction()

# licence(<result> <package>): from the head of its machine-readable copyright file.
function(licence ret package)
  set(name "see /usr/share/doc/${package}/copyright")
  set(expression "${licence_of_${package}}")
  if(NOT expression AND EXISTS "/usr/share/doc/${package}/copyright")
    file(READ "/usr/share/doc/${package}/copyright" text LIMIT 200000)
    if(text MATCHES "\n[Ff]iles:[ \t]*\\*[ \t\n]([^\n]+\n)*[Ll]icense:[ \t]*([^\n]+)")
      string(STRIP "${CMAKE_MATCH_2}" name)
    endif()
    spdx(expression "${name}")
  endif()
  if(expression)
    set(${ret} "{ \"expression\": \"${expression}\" }" PARENT_SCOPE)
  else()
    json_text(quoted "${name}")
    set(${ret} "{ \"license\": { \"name\": ${quoted} } }" PARENT_SCOPE)
  endif()
endfunction()

# needed(<result> <file>): the packages of what a file is linked with.
function(needed ret file)
  run(dynamic readelf -d "${file}")
  string(REGEX MATCHALL "Shared library: \\[[^]]+\\]" entries "${dynamic}")
  set(packages "")
  foreach(entry IN LISTS entries)
    string(REGEX REPLACE "Shared library: \\[([^]]+)\\]" "\\1" soname "${entry}")
    if(DEFINED "package_of_${soname}")
      list(APPEND packages "${package_of_${soname}}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  list(SORT packages)
  set(${ret} "${packages}" PARENT_SCOPE)
endfunction()

function(dependency ret ref packages)
  set(refs "")
  foreach(package IN LISTS packages)
    list(APPEND refs "\"${purl_${package}}\"")
  endforeach()
  list(JOIN refs ", " refs)
  set(${ret} "    { \"ref\": \"${ref}\", \"dependsOn\": [${refs}] }" PARENT_SCOPE)
endfunction()

set(ENV{LC_ALL} C)
run(linked ldd "${PROGRAM}")
set(loaded_sonames "")
foreach(file IN LISTS LOADED)
  run(brought ldd "${file}")
  run(dynamic readelf -d "${file}")
  string(REGEX MATCH "Library soname: \\[([^]]+)\\]" dynamic "${dynamic}")
  list(APPEND loaded_sonames "${CMAKE_MATCH_1}")
  string(APPEND linked "\n${CMAKE_MATCH_1} => ${file}\n${brought}")
endforeach()
string(REGEX MATCHALL "[^ \t\n]+ => /[^ \n]+" entries "${linked}")
set(packages "")
foreach(entry IN LISTS entries)
  string(REGEX MATCH "^([^ ]+) => (.*)$" entry "${entry}")
  set(soname "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_2}")
  if(DEFINED "package_of_${soname}")
    continue()
  endif()
  # dpkg knows a file by the path in its package, which may be the one from before /lib became a link
  string(REGEX REPLACE "^/usr/lib/" "/lib/" short "${path}")
  string(REGEX REPLACE "^/lib/" "/usr/lib/" long "${short}")
  execute_process(COMMAND dpkg-query -S "${short}" "${long}" OUTPUT_VARIABLE owner ERROR_QUIET)
  if(NOT owner MATCHES "^([^: \n]+)")
    message(FATAL_ERROR "${path}, which ${PROGRAM} is linked with, belongs to no package")
  endif()
  set(package "${CMAKE_MATCH_1}")
  set("package_of_${soname}" "${package}")
  list(APPEND packages "${package}")
  list(APPEND "files_of_${package}" "${path}")
  list(APPEND "sonames_of_${package}" "${soname}")
endforeach()
list(REMOVE_DUPLICATES packages)
list(SORT packages)

set(ID "")
file(STRINGS /etc/os-release os REGEX "^(ID|VERSION_ID)=")
foreach(line IN LISTS os)
  string(REGEX MATCH "^([A-Z_]+)=\"?([^\"]*)" line "${line}")
  set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()

set(components "")
foreach(package IN LISTS packages)
  run(fields dpkg-query -W -f "\${Version}\\t\${Architecture}\\t\${source:Package}\\t\${Maintainer}\\n" "${package}")
  string(REGEX MATCH "^([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\n]+)" fields "${fields}")
  set(version "${CMAKE_MATCH_1}")
  set(source "${CMAKE_MATCH_3}")
  json_text(supplier "${CMAKE_MATCH_4}")
  set(encoded_name "${package}")
  set(encoded_version "${version}")
  string(REPLACE "+" "%2B" encoded_name "${encoded_name}")
  string(REPLACE "+" "%2B" encoded_version "${encoded_version}")
  string(REPLACE ":" "%3A" encoded_version "${encoded_version}")
  set("purl_${package}"
    "pkg:deb/${ID}/${encoded_name}@${encoded_version}?arch=${CMAKE_MATCH_2}&distro=${ID}-${VERSION_ID}")
  licence(license "${package}")
  list(JOIN "sonames_of_${package}" " " sonames)
  string(APPEND components "    {
      \"type\": \"library\",
      \"bom-ref\": \"${purl_${package}}\",
      \"supplier\": { \"name\": ${supplier} },
      \"name\": \"${package}\",
      \"version\": \"${version}\",
      \"licenses\": [${license}],
      \"purl\": \"${purl_${package}}\",
      \"properties\": [
        { \"name\": \"dwclean:source-package\", \"value\": \"${source}\" },
        { \"name\": \"dwclean:sonames\", \"value\": \"${sonames}\" }
      ]
    },\n")
endforeach()
string(REGEX REPLACE ",\n$" "" components "${components}")

set(self "pkg:generic/dwclean@${VERSION}")
needed(direct "${PROGRAM}")
foreach(soname IN LISTS loaded_sonames)
  list(APPEND direct "${package_of_${soname}}")
endforeach()
list(REMOVE_DUPLICATES direct)
list(SORT direct)
dependency(lines "${self}" "${direct}")
foreach(package IN LISTS packages)
  set(all "")
  foreach(file IN LISTS "files_of_${package}")
    needed(some "${file}")
    list(APPEND all ${some})
  endforeach()
  list(REMOVE_DUPLICATES all)
  list(REMOVE_ITEM all "${package}")
  list(SORT all)
  dependency(line "${purl_${package}}" "${all}")
  string(APPEND lines ",\n${line}")
endforeach()

run(stamp date -u -d "@${TIME}" "+%Y-%m-%dT%H:%M:%SZ")
string(SHA256 digest "${VERSION} ${components} ${lines}")
string(UUID serial NAMESPACE 6ba7b811-9dad-11d1-80b4-00c04fd430c8 NAME "${digest}" TYPE SHA1)
file(WRITE "${OUT}" "{
  \"bomFormat\": \"CycloneDX\",
  \"specVersion\": \"1.5\",
  \"serialNumber\": \"urn:uuid:${serial}\",
  \"version\": 1,
  \"metadata\": {
    \"timestamp\": \"${stamp}\",
    \"component\": {
      \"type\": \"application\",
      \"bom-ref\": \"${self}\",
      \"supplier\": { \"name\": \"The dwclean authors\" },
      \"name\": \"dwclean\",
      \"version\": \"${VERSION}\",
      \"licenses\": [{\"license\":{\"id\":\"MIT\"}}],
      \"purl\": \"${self}\"
    }
  },
  \"components\": [
${components}
  ],
  \"dependencies\": [
${lines}
  ]
}
")

# Runs in cpack, on each package before it is handed over: packed once more by dpkg-deb, since CPack leaves the umask of whoever
# builds in the modes of directories and members.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(package IN LISTS CPACK_PACKAGE_FILES)
  set(root "${package}.root")
  file(REMOVE_RECURSE "${root}")
  run(dpkg-deb -R "${package}" "${root}")
  run(find "${root}" -type d -exec chmod 0755 {} +)
  run(find "${root}" -exec touch -h -d "@$ENV{SOURCE_DATE_EPOCH}" {} +)
  run(dpkg-deb --root-owner-group -Zgzip --build "${root}" "${package}")
  file(REMOVE_RECURSE "${root}")
endforeach()

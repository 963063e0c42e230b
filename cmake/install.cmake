# What `cmake --install` lays: the programs, the library with its one public header and its CMake package, the .proto
# files, the shell completion.

# valija_closure(TARGET OUT): the libraries of ours that TARGET reaches, itself included.
function(valija_closure target out)
  set(found ${target})
  set(todo ${target})
  while(todo)
    list(POP_FRONT todo next)
    get_target_property(links ${next} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(link MATCHES "^valija_" AND TARGET ${link} AND NOT link IN_LIST found)
        list(APPEND found ${link})
        list(APPEND todo ${link})
      endif()
    endforeach()
  endwhile()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(valija_install)
  include(CMakePackageConfigHelpers)
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/valija)

  install(TARGETS valija valija-broker valija-audit
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)

  # Another project links valija::valija; the other libraries of the set are how it is made, not an interface.
  set_target_properties(valija_client PROPERTIES EXPORT_NAME valija)
  target_include_directories(valija_client INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  valija_closure(valija_client libraries)
  install(TARGETS ${libraries} EXPORT valija ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT valija FILE valijaTargets.cmake NAMESPACE valija:: DESTINATION ${package})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/valijaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES cmake/valijaConfig.cmake cmake/dependencies.cmake ${PROJECT_BINARY_DIR}/valijaConfigVersion.cmake
          DESTINATION ${package})
  install(FILES client/valija.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/valija)

  install(DIRECTORY proto/valija/ DESTINATION ${CMAKE_INSTALL_DATADIR}/valija/proto/valija COMPONENT programs
          FILES_MATCHING PATTERN "*.proto")
  install(FILES client/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME valija
          COMPONENT programs)
endfunction()

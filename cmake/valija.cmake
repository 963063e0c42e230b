# valija_library(NAME SOURCES a.cc .. LINK x ..): a static library of ours, included from the top folder.
function(valija_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:valija_flags>)
endfunction()

# valija_test(NAME SOURCES a_test.cc .. LINK x ..): one GoogleTest binary, one ctest entry.
function(valija_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} valija_flags GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE VALIJA_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             VALIJA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT VALIJA_SANITIZE STREQUAL "")
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# valija_grpc_headers(NAME ..): gRPC's headers are precompiled for these targets. They are about two of the three to
# five seconds that a source which includes them takes, and seven seconds to precompile: worth it from four sources on.
function(valija_grpc_headers)
  if(VALIJA_PCH)
    foreach(name IN LISTS ARGN)
      target_precompile_headers(${name} PRIVATE <grpcpp/grpcpp.h>)
    endforeach()
  endif()
endfunction()

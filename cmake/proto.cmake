# valija_proto(NAME a.proto ..): the static library of what protoc and gRPC's plugin make of these files.
#
# Call it from the folder that is the root of the .proto names (proto/): valija_proto(valija_proto valija/v1/log.proto).
# The generated files go to <build>/proto, and are included as "valija/v1/log.pb.h", "valija/v1/log.grpc.pb.h".
# That folder is a system folder for whoever links the library, and generated code is compiled without valija_flags:
# it is not ours to warn about. Stubs (.grpc.pb.*) are made only of files that declare a service.
find_program(VALIJA_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

function(valija_proto name)
  set(root ${CMAKE_CURRENT_SOURCE_DIR})
  set(out ${PROJECT_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  list(TRANSFORM ARGN PREPEND ${root}/ OUTPUT_VARIABLE all)
  set(sources "")
  foreach(proto IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(grpc_args "")
    # A service added to a file must be noticed: the file's text is an input of the configuration.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${proto})
    file(STRINGS ${root}/${proto} services REGEX "^service ")
    if(services)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(grpc_args --grpc_out=${out} --plugin=protoc-gen-grpc=${VALIJA_GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(OUTPUT ${made}
      COMMAND ${Protobuf_PROTOC_EXECUTABLE} --proto_path=${root} --cpp_out=${out} ${grpc_args} ${proto}
      DEPENDS ${all} WORKING_DIRECTORY ${root} COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf PkgConfig::GRPC)
endfunction()

# valija_proto(MESSAGES STUBS a.proto ..): two static libraries of what protoc and gRPC's plugin make of these files.
#
# Call it from the folder that is the root of the .proto names: valija_proto(valija_messages valija_proto_grpc v1/a.proto).
# MESSAGES holds the messages and needs protobuf alone; STUBS holds what is made of services and needs gRPC as well, so
# that a program which only reads messages (the auditor) links no gRPC.
# The generated files go to <build>/proto, and are included as "valija/v1/log.pb.h", "valija/v1/log.grpc.pb.h".
# That folder is a system folder for whoever links the libraries, and generated code is compiled without valija_flags:
# it is not ours to warn about.
find_program(VALIJA_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

function(valija_proto messages stubs)
  set(root ${CMAKE_CURRENT_SOURCE_DIR})
  set(out ${PROJECT_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  list(TRANSFORM ARGN PREPEND ${root}/ OUTPUT_VARIABLE all)
  set(sources "")
  set(stub_sources "")
  foreach(proto IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    list(APPEND sources ${made})
    set(grpc_args "")
    # A service added to a file must be noticed: the file's text is an input of the configuration.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${proto})
    file(STRINGS ${root}/${proto} services REGEX "^service ")
    if(services)
      list(APPEND stub_sources ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(grpc_args --grpc_out=${out} --plugin=protoc-gen-grpc=${VALIJA_GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(OUTPUT ${made}
      COMMAND ${Protobuf_PROTOC_EXECUTABLE} --proto_path=${root} --cpp_out=${out} ${grpc_args} ${proto}
      DEPENDS ${all} WORKING_DIRECTORY ${root} COMMENT "protoc ${proto}" VERBATIM)
  endforeach()
  add_library(${messages} STATIC ${sources})
  target_include_directories(${messages} SYSTEM PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${messages} PUBLIC protobuf::libprotobuf)
  add_library(${stubs} STATIC ${stub_sources})
  target_link_libraries(${stubs} PUBLIC ${messages} PkgConfig::GRPC)
endfunction()

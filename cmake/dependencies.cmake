# What the library stands on, found the same way when the project is built and when somebody who installed it asks for
# find_package(valija): this file is installed beside valijaConfig.cmake. gRPC is found by pkg-config, the one way that
# every distribution's package offers.
include(CMakeFindDependencyMacro)
find_dependency(Threads REQUIRED)
find_dependency(OpenSSL 3.0 REQUIRED)
find_dependency(Protobuf REQUIRED)
find_dependency(PkgConfig REQUIRED)
find_dependency(nlohmann_json REQUIRED)
if(NOT TARGET PkgConfig::GRPC)
  pkg_check_modules(GRPC REQUIRED QUIET IMPORTED_TARGET GLOBAL grpc++)
endif()

# Compilation goes through ccache where it is installed. The sloppiness is what ccache asks for to cache a precompiled
# header and what is compiled with it.
find_program(VALIJA_CCACHE ccache)
if(VALIJA_CCACHE AND (NOT CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$"))
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${VALIJA_CCACHE})
endif()

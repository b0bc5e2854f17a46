# One target carries how every file of ours is compiled: warnings, determinism, hardening, sanitizers.
add_library(xd_build INTERFACE)
target_compile_options(xd_build INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -ffp-contract=off -fno-common)
target_include_directories(xd_build INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(xd_build INTERFACE _GNU_SOURCE XD_VERSION="${PROJECT_VERSION}")
if(XD_WERROR)
  target_compile_options(xd_build INTERFACE -Werror)
endif()
if(XD_SANITIZE)
  target_compile_options(xd_build INTERFACE -fsanitize=${XD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(xd_build INTERFACE -fsanitize=${XD_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(xd_build INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
  target_link_options(xd_build INTERFACE -Wl,-z,relro,-z,now)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

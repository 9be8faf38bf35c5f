# SPDX-License-Identifier: Apache-2.0
# One place for the flags of every target. `bw_options` is linked by each room.
add_library(bw_options INTERFACE)

target_compile_options(bw_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wimplicit-fallthrough -Wnon-virtual-dtor -Wthread-safety -Werror
  -fno-omit-frame-pointer)
target_include_directories(bw_options INTERFACE ${PROJECT_SOURCE_DIR}/src)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -gline-tables-only")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-fuse-ld=lld-19)

if(BW_SANITIZE_ADDRESS)
  # The check of vptr opens a pipe to look at an object, and so takes any object for a broken one
  # while a test has used up the file descriptors.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(BW_SANITIZE_THREAD)
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  target_compile_definitions(bw_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_compile_options(bw_options INTERFACE
    -fstack-protector-strong $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=3>)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
if(BW_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

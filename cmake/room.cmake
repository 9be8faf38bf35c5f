# SPDX-License-Identifier: Apache-2.0
# bw_room(NAME LEVEL n [DEPS room...] [LIBS target...] [PARTS folder...]): a library from every *.cpp
# of the calling folder and of its PARTS. Files named *_test.cpp become the test program NAME_tests. LEVEL and DEPS are what
# tools/check_layers.py holds every #include against (architecture.md, "Rooms").
function(bw_room NAME)
  cmake_parse_arguments(ROOM "" "LEVEL" "DEPS;LIBS;PARTS;TEST_DEPS;TEST_LIBS" ${ARGN})
  list(TRANSFORM ROOM_PARTS APPEND "/*.cpp")
  file(GLOB sources CONFIGURE_DEPENDS *.cpp ${ROOM_PARTS})
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")

  if(sources)
    add_library(${NAME} STATIC ${sources})
    set_target_properties(${NAME} PROPERTIES OUTPUT_NAME bw_${NAME})
    target_link_libraries(${NAME} PUBLIC bw_options ${ROOM_DEPS} ${ROOM_LIBS})
  else()
    add_library(${NAME} INTERFACE)
    target_link_libraries(${NAME} INTERFACE bw_options ${ROOM_DEPS} ${ROOM_LIBS})
  endif()

  if(tests)
    bw_test(${NAME}_tests SOURCES ${tests} DEPS ${NAME} ${ROOM_TEST_DEPS} ${ROOM_TEST_LIBS})
  endif()
endfunction()

# bw_test(NAME SOURCES file... DEPS target... [LABEL label] [TIMEOUT s]): a GoogleTest program whose
# cases ctest lists one by one.
function(bw_test NAME)
  cmake_parse_arguments(TEST "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${NAME} ${TEST_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main rapidcheck)
  target_compile_definitions(${NAME} PRIVATE BW_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABEL}")
endfunction()

# Makes a C table of the places: cmake -DIN=cn_places.csv -DOUT=places_data.c -P places.cmake
file(STRINGS "${IN}" lines ENCODING UTF-8)
list(POP_FRONT lines header)
if(NOT header STREQUAL "name,lat,lon,population")
  message(FATAL_ERROR "${IN}: the columns are not name,lat,lon,population")
endif()
set(rows "")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^([^,\"\\\\]+),(-?[0-9.]+),(-?[0-9.]+),([0-9]+)$")
    message(FATAL_ERROR "${IN}: not a place: ${line}")
  endif()
  string(APPEND rows
    "    {\"${CMAKE_MATCH_1}\", ${CMAKE_MATCH_2} * DEGREE, ${CMAKE_MATCH_3} * DEGREE, ${CMAKE_MATCH_4}.0},\n")
endforeach()
file(WRITE "${OUT}" "#include \"clients/bench/places.h\"

#define DEGREE (3.14159265358979323846 / 180)

const struct xd_town xd_towns[] = {
${rows}};
const uint32_t xd_town_count = sizeof xd_towns / sizeof xd_towns[0];
")

# Writes OUT, the table of all message descriptors by full name, from the C files named in LIST (as protoc-c made them):
#   cmake -D LIST=types.list -D OUT=types.c -P types.cmake
file(STRINGS ${LIST} sources)
set(rows)
foreach(source ${sources})
  file(STRINGS ${source} lines REGEX "^const ProtobufCMessageDescriptor |^  \"[A-Za-z0-9_.]+\",$")
  set(symbol)
  foreach(line ${lines})
    if(line MATCHES "^const ProtobufCMessageDescriptor ([a-z0-9_]+)")
      set(symbol ${CMAKE_MATCH_1})
    elseif(symbol AND line MATCHES "\"([^\"]+)\"") # the first string of a descriptor is its full name
      list(APPEND rows "${CMAKE_MATCH_1} ${symbol}")
      set(symbol)
    endif()
  endforeach()
endforeach()
list(SORT rows COMPARE STRING)
set(declarations "")
set(table "")
foreach(row ${rows})
  string(REGEX REPLACE "^.* " "" symbol ${row})
  string(APPEND declarations "extern const ProtobufCMessageDescriptor ${symbol};\n")
  string(APPEND table "\t&${symbol},\n")
endforeach()
file(WRITE ${OUT} "#include <protobuf-c/protobuf-c.h>\n\n${declarations}
extern const ProtobufCMessageDescriptor *const pack_types[];
extern const size_t pack_n_types;
const ProtobufCMessageDescriptor *const pack_types[] = {\n${table}};
const size_t pack_n_types = sizeof pack_types / sizeof pack_types[0];\n")

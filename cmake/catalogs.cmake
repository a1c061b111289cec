# A catalog is a folder: each file NAME.cpp in it defines `Entry NAME()` in the folder's namespace, and
# the list of them all is generated here. A new file needs no edit anywhere.
set(catalog_sources)

function(attnspan_catalog folder namespace entry header function)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${folder}
       ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  list(SORT files)
  set(declarations "")
  set(calls "")
  foreach(file IN LISTS files)
    string(REGEX REPLACE "\\.cpp$" "" name ${file})
    string(APPEND declarations "${entry} ${name}();\n")
    string(APPEND calls "      ${namespace}::${name}(),\n")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/catalogs/${namespace}.cpp)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT "// Generated from the files in ${folder}/.
#include \"${header}\"

namespace attnspan {
namespace ${namespace} {
${declarations}}  // namespace ${namespace}

std::span<const ${entry}> ${function}() {
  static const ${entry} entries[] = {
${calls}  };
  return entries;
}

}  // namespace attnspan
")
  set(catalog_sources ${catalog_sources} ${output} PARENT_SCOPE)
endfunction()

attnspan_catalog(tasks tasks TaskEntry task/task.hpp task_catalog)
attnspan_catalog(src/position/encodings positions PositionEntry position/position.hpp position_catalog)
attnspan_catalog(src/attention/normalizers normalizers NormalizerEntry attention/normalizer.hpp
                 normalizer_catalog)
attnspan_catalog(src/attention/scalers scalers ScalerEntry attention/scaler.hpp scaler_catalog)
attnspan_catalog(src/report/formats formats FormatEntry report/format.hpp format_catalog)

# Text that is built into the program, so that an installed binary has it: sets `literal` to the C++ literal of a
# file's text.
function(attnspan_literal file literal)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  set(${literal} "R\"attnspan(${text})attnspan\"" PARENT_SCOPE)
endfunction()

# Writes catalogs/NAME.cpp: what stands in the folder, defined in the namespace after the header.
function(attnspan_embed name folder header definition)
  set(output ${CMAKE_BINARY_DIR}/catalogs/${name}.cpp)
  set(text "// Generated from the files in ${folder}/.
#include \"${header}\"

namespace attnspan {

${definition}
}  // namespace attnspan
")
  file(GENERATE OUTPUT ${output} CONTENT "${text}")
  set(catalog_sources ${catalog_sources} ${output} PARENT_SCOPE)
endfunction()

# Presets are sweep specs.
file(GLOB presets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/sweep/presets/*.json)
list(SORT presets)
set(entries "")
foreach(preset IN LISTS presets)
  attnspan_literal(${preset} literal)
  get_filename_component(name ${preset} NAME_WE)
  string(APPEND entries "      {\"${name}\", ${literal}},\n")
endforeach()
attnspan_embed(presets src/sweep/presets sweep/presets.hpp "std::span<const Preset> preset_catalog() {
  static const Preset entries[] = {
${entries}  };
  return entries;
}
")

# The page of attnspan report: HTML, style and script.
set(parts "")
foreach(part IN ITEMS html css js)
  attnspan_literal(${CMAKE_SOURCE_DIR}/src/report/page/page.${part} literal)
  string(APPEND parts "      ${literal},\n")
endforeach()
attnspan_embed(page src/report/page report/page.hpp "const PageTemplate& page_template() {
  static constexpr PageTemplate page{
${parts}  };
  return page;
}
")

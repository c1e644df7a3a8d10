# stream_add_plugin(NAME SOURCES a.cpp ... [LIBRARIES ...] [VERSION x.y.z] [LICENCE spdx-id] [DESTINATION dir])
#
# A plugin: a shared library and its manifest beside it, NAME.plugin.json, written by loading the library once at build
# time. In this tree both go to lib/stream/plugins; elsewhere to the binary folder, and `install` puts them where
# `stream` looks. The program finds plugins through their manifests alone.
include_guard()

function(stream_add_plugin name)
  cmake_parse_arguments(arg "" "VERSION;LICENCE;DESTINATION" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "stream_add_plugin(${name}): SOURCES is missing")
  endif()
  if(NOT arg_VERSION)
    set(arg_VERSION ${PROJECT_VERSION})
  endif()
  if(NOT arg_LICENCE)
    set(arg_LICENCE Apache-2.0)
  endif()
  if(STREAM_PLUGIN_OUTPUT_DIR)
    set(output ${STREAM_PLUGIN_OUTPUT_DIR})
  else()
    set(output ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  set(target stream-${name})
  add_library(${target} MODULE ${arg_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE Stream::stream ${arg_LIBRARIES})
  # Undefined symbols are an error here, not at the first call.
  target_link_options(${target} PRIVATE -Wl,--no-undefined)
  target_compile_definitions(${target} PRIVATE STREAM_PLUGIN_VERSION="${arg_VERSION}"
                                               STREAM_PLUGIN_LICENCE="${arg_LICENCE}")
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${output} CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON INSTALL_RPATH "$ORIGIN/../..")
  set(manifest ${output}/${name}.plugin.json)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND $<TARGET_FILE:Stream::manifest> $<TARGET_FILE:${target}> ${manifest}
    BYPRODUCTS ${manifest} VERBATIM COMMENT "Manifest of ${name}")
  if(TARGET stream-manifest)
    add_dependencies(${target} stream-manifest)
  endif()
  if(NOT arg_DESTINATION)
    set(arg_DESTINATION ${STREAM_PLUGIN_INSTALL_DIR})
  endif()
  install(TARGETS ${target} LIBRARY DESTINATION ${arg_DESTINATION})
  install(FILES ${manifest} DESTINATION ${arg_DESTINATION})
endfunction()

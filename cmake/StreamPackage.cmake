# What plugin authors find after `cmake --install`: the package Stream, and stream.pc.
include(CMakePackageConfigHelpers)

set(package_dir lib/cmake/Stream)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/StreamConfig.cmake.in ${PROJECT_BINARY_DIR}/StreamConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/StreamConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/StreamConfig.cmake ${PROJECT_BINARY_DIR}/StreamConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/StreamPlugin.cmake DESTINATION ${package_dir})
install(EXPORT StreamTargets NAMESPACE Stream:: DESTINATION ${package_dir})
configure_file(${PROJECT_SOURCE_DIR}/cmake/stream.pc.in ${PROJECT_BINARY_DIR}/stream.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/stream.pc DESTINATION lib/pkgconfig)

# Recipes, models, examples and the plugin template, where the library looks for them.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/share/ DESTINATION share/stream PATTERN .clang-format EXCLUDE)
if(EXISTS ${PROJECT_SOURCE_DIR}/recipes)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/recipes/ DESTINATION share/stream/recipes)
endif()

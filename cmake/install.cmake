# What `make install` and packages put in place: the program, its manual and completions, which it writes
# itself, and the schema of its results.
include(GNUInstallDirs)
install(TARGETS attnspan RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS scripts/slurm-sweep DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME attnspan-slurm)

set(written ${CMAKE_BINARY_DIR}/written)
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" -DPROGRAM=$<TARGET_FILE:attnspan> -DOUTPUT=${written}
  -P \"${CMAKE_SOURCE_DIR}/cmake/write-manual.cmake\" COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY ${written}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${written}/attnspan.bash RENAME attnspan
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${written}/attnspan.zsh RENAME _attnspan
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${written}/attnspan.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES results/schema/result-v2.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/attnspan)
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Packages are made of what is installed. CPack rather than dpkg-deb: one list for both, and a tar file beside.
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME attnspan)
set(CPACK_PACKAGE_VENDOR "The attnspan authors")
set(CPACK_PACKAGE_CONTACT "The attnspan authors <attnspan@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "measures the length extrapolation of attention variants")
set(CPACK_PACKAGE_DESCRIPTION "Trains small transformers on short synthetic sequences, on the CPU, tests them on
sequences up to 1000 times longer, and says with error bars which attention variant still works.")
set(CPACK_PACKAGE_FILE_NAME attnspan-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= 2.36)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "gnuplot-nox")
include(CPack)

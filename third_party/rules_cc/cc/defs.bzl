"""The rules that our BUILD files load from @rules_cc, served by Bazel 4's own.

Debian's package of rules_cc does not load in Debian's Bazel. A newer Bazel can
point @rules_cc at the real repository without a change in any BUILD file.
"""

cc_library = native.cc_library
cc_binary = native.cc_binary
cc_test = native.cc_test
cc_import = native.cc_import
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
cc_proto_library = native.cc_proto_library

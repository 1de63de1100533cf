"""@page_tools: node and the page's npm packages, where set-up installed them.

Exports PAGE_TOOLS_FOUND and a filegroup :node_modules. When node or
visualizer/node_modules is missing the repository is empty and the flag False,
so that the rest builds and the page's tests are counted as skipped.
"""

def _page_tools_impl(ctx):
    node = ctx.which("node")
    workspace = ctx.path(Label("//:WORKSPACE")).dirname
    modules = workspace.get_child("visualizer").get_child("node_modules")

    # The lock file that npm leaves inside says which packages are there; as a
    # dependency of this rule it makes Bazel look again after an install.
    found = node != None and modules.get_child(".package-lock.json").exists
    build = 'package(default_visibility = ["//visibility:public"])\n'
    if found:
        ctx.symlink(modules, "node_modules")
        ctx.symlink(node, "node")
        build += 'exports_files(["node"])\n'
        build += 'filegroup(name = "node_modules", srcs = glob(["node_modules/**"], exclude = ["node_modules/**/* *"]))\n'
        build += 'filegroup(name = "notice", srcs = ["node_modules/uplot/LICENSE"])\n'
    else:
        build += 'filegroup(name = "node_modules")\n'
    ctx.file("BUILD", build)
    ctx.file("defs.bzl", '"""Written by page_tools.bzl."""\nPAGE_TOOLS_FOUND = %s\n' % found)

page_tools = repository_rule(
    implementation = _page_tools_impl,
    environ = ["PATH", "ARENALAB_PAGE_TOOLS"],
    local = True,
)

"""Static files named by their content, the modules that they import included."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedStaticFiles(ManifestStaticFilesStorage):
    """A new version of a page never meets an old version of its script in the browser's cache."""

    support_js_module_import_aggregation = True

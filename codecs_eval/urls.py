from django.urls import path

from codecs_eval import (
    codec_views,
    compare_views,
    dataset_views,
    downstream_views,
    report_views,
    run_views,
    saliency_views,
    source_views,
    views,
)

urlpatterns = [
    path("sources/", source_views.sources, name="sources"),
    path("sources/<slug:collection>/", source_views.collection, name="collection"),
    path("sources/<slug:collection>/ladder.csv", source_views.ladder_csv, name="ladder_csv"),
    path(
        "sources/<slug:collection>/ladder-<int:index>.svg",
        source_views.ladder_svg,
        name="ladder_svg",
    ),
    path("sources/<slug:collection>/saliency/", saliency_views.saliency, name="saliency"),
    path(
        "sources/<slug:collection>/saliency/agreement.csv",
        saliency_views.saliency_csv,
        name="saliency_csv",
    ),
    path("saliency/<int:map_id>.webp", saliency_views.saliency_overlay, name="saliency_overlay"),
    path(
        "sources/<slug:collection>/downstream",
        downstream_views.downstream_on_collection,
        name="downstream_on_collection",
    ),
    path("downstream/<uuid:run_id>/", downstream_views.downstream, name="downstream"),
    path(
        "downstream/<uuid:run_id>/photos/<int:source_id>/",
        downstream_views.downstream_photo,
        name="downstream_photo",
    ),
    path(
        "downstream/<uuid:run_id>/photos/<int:source_id>/<slug:codec>-<str:target_bpp>.webp",
        downstream_views.downstream_picture,
        name="downstream_picture",
    ),
    path(
        "downstream/<uuid:run_id>/<str:name>",
        downstream_views.downstream_file,
        name="downstream_file",
    ),
    path("thumbnails/<int:source_id>.webp", source_views.photo_thumbnail, name="photo_thumbnail"),
    path("codecs/", views.codecs, name="codecs"),
    path("codecs/train/", codec_views.train_codec, name="train_codec"),
    path("codecs/compare/", codec_views.compare_codecs, name="compare_codecs"),
    path("metrics/", views.metrics, name="metrics"),
    path("datasets/", dataset_views.dataset_list, name="datasets"),
    path("datasets/<uuid:dataset_id>/", dataset_views.dataset, name="dataset"),
    path("datasets/<uuid:dataset_id>/download", dataset_views.dataset_zip, name="dataset_zip"),
    path(
        "datasets/<uuid:dataset_id>/train", dataset_views.train_on_dataset, name="train_on_dataset"
    ),
    path(
        "datasets/<uuid:dataset_id>/agreement",
        dataset_views.report_on_dataset,
        name="report_on_dataset",
    ),
    path("runs/", run_views.run_list, name="runs"),
    path("runs/compare/", compare_views.compare_runs, name="compare_runs"),
    path("runs/compare/curves.svg", compare_views.compared_curves_svg, name="compared_curves_svg"),
    path("runs/<uuid:run_id>/", run_views.run, name="run"),
    path("runs/<uuid:run_id>/state.json", run_views.run_state, name="run_state"),
    path("runs/<uuid:run_id>/curves.svg", run_views.run_curves_svg, name="run_curves_svg"),
    path("runs/<uuid:run_id>/curves.csv", run_views.run_curves_csv, name="run_curves_csv"),
    path("runs/<uuid:run_id>/cancel", run_views.cancel_run, name="cancel_run"),
    path("runs/<uuid:run_id>/again", run_views.run_again, name="run_again"),
    path("runs/<uuid:run_id>/export", run_views.export_run, name="export_run"),
    path("runs/<uuid:run_id>/rates.svg", codec_views.codec_rates_svg, name="codec_rates_svg"),
    path(
        "runs/<uuid:run_id>/samples/<int:step>.png", codec_views.codec_sample, name="codec_sample"
    ),
    path(
        "runs/<uuid:run_id>/pictures/<str:name>",
        codec_views.comparison_picture,
        name="comparison_picture",
    ),
    path("runs/<uuid:run_id>/codecs.csv", codec_views.comparison_csv, name="comparison_csv"),
    path("runs/<uuid:run_id>/metric.zip", run_views.metric_zip, name="metric_zip"),
    path("reports/", report_views.report_list, name="reports"),
    path("reports/<uuid:run_id>/", report_views.report, name="report"),
    path("reports/<uuid:run_id>/<str:name>", report_views.report_file, name="report_file"),
    path("help/", views.help_page, name="help"),
]

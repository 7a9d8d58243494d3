from django.urls import path

from annotation import api, study_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("s/<slug:slug>/", views.welcome, name="welcome"),
    path("s/<slug:slug>/begin", views.begin, name="begin"),
    path("s/<slug:slug>/trial", views.trial, name="trial"),
    path("s/<slug:slug>/thanks", views.thanks, name="thanks"),
    path("s/<slug:slug>/lease", api.lease, name="lease"),
    path("s/<slug:slug>/judgments", api.judgments, name="judgments"),
    path("s/<slug:slug>/finish", api.finish, name="finish"),
    path("s/<slug:slug>/i/<uuid:trial_id>/<str:side>", views.trial_image, name="trial_image"),
    path("studies/", study_views.studies, name="studies"),
    path("studies/new", study_views.new_study, name="new_study"),
    path("studies/<slug:slug>/", study_views.study, name="study"),
    path("studies/<slug:slug>/watch", study_views.watch, name="study_watch"),
    path("studies/<slug:slug>/results", study_views.results, name="study_results"),
    path("studies/<slug:slug>/gallery", study_views.gallery, name="study_gallery"),
    path("studies/<slug:slug>/export", study_views.export, name="study_export"),
    path("studies/<slug:slug>/judgments.csv", study_views.judgments_csv, name="judgments_csv"),
    path("studies/<slug:slug>/state", study_views.change_state, name="study_state"),
    path("studies/<slug:slug>/freeze", study_views.freeze, name="study_freeze"),
]

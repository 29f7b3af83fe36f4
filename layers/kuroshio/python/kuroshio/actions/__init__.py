"""Where GitHub Actions enters: ``run.py`` of our actions calls the functions here."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Every form of ours is drawn alike: label, hint, message, then the control."""

    form_template_name = "components/forms/form.html"
    field_template_name = "components/forms/field.html"

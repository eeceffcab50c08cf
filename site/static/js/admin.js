// The admin's own few lines, on each of its pages.

// A picker rewrites as today's date what it cannot read. What is typed stays as typed:
// the server reads it, or refuses it at its field.
const picker = window.jQuery?.fn.datetimepicker;
if (picker) picker.defaults.validateOnBlur = false;

document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("[data-error-summary]")?.focus();
});

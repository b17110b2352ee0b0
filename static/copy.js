// A button that copies a field; without a script it is not shown, and the field can be selected.
const reveal = () => document.querySelectorAll('[data-copy][hidden]').forEach(one => { one.hidden = false; });
reveal();
document.addEventListener('htmx:afterSwap', reveal);
document.addEventListener('click', async event => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    // Browsers keep the clipboard from pages that did not come over HTTPS; the old way still works.
    if (!document.execCommand('copy')) return;
  }
  button.querySelector('span').textContent = button.dataset.copied;
});

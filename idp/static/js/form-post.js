// Sends the answer to the application at once (OAuth 2.0 Form Post Response Mode). Without scripts there is a button.

const form = document.querySelector("form[data-form-post]");

// Back from the application, out of the browser's memory, must not send the answer again: its code is used up.
addEventListener("pageshow", (event) => {
  if (form && !event.persisted) {
    form.submit();
  }
});

// What the server told this page of its rules.
export const page = JSON.parse(document.body.dataset.page);
export const section = document.body.dataset.section;

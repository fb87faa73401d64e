// Runs before everything else, because modules cannot: a page that is to be dark is never light first, and zod does not
// try to make code at run time, which the content security policy would report.
globalThis.__zod_globalConfig = { jitless: true }
{
  const chosen = localStorage.getItem('quarterdeck.theme')
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
}

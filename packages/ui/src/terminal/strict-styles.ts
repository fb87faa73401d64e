/**
 * Runs `open` while style elements made in this document become adopted style sheets: xterm.js writes its styles into
 * style elements, which our content security policy (style-src 'self') refuses, while it allows scripts to change
 * sheets. xterm's own option for another document does not reach its viewport (6.0.0).
 */
export function withStrictStyles(open: () => void): void {
  const page = document
  const own = page.createElement
  page.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === 'style' ? adoptedStyle(page, own) : own.call(page, name, options)) as typeof page.createElement
  try {
    open()
  } finally {
    page.createElement = own
  }
}

/** Stands in for a style element: text set on it goes to a constructed sheet, removing it takes the sheet away. */
function adoptedStyle(page: Document, create: Document['createElement']): HTMLElement {
  const sheet = new CSSStyleSheet()
  page.adoptedStyleSheets.push(sheet)
  const element = create.call(page, 'template')
  let text = ''
  const set = (next: string) => {
    text = next
    sheet.replaceSync(next)
  }
  Object.defineProperty(element, 'textContent', { get: () => text, set })
  Object.defineProperty(element, 'innerText', { get: () => text, set })
  Object.defineProperty(element, 'sheet', { get: () => sheet })
  element.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((one) => one !== sheet)
    Element.prototype.remove.call(element)
  }
  return element
}

/**
 * The page's document for xterm.js, whose style elements our content security policy (style-src 'self') would refuse:
 * what it writes into one becomes an adopted style sheet, which the policy allows, as scripts may change styles.
 */
export function strictDocument(page: Document): Document {
  return new Proxy(page, {
    get(target, key) {
      if (key === 'createElement') {
        return (name: string) => (name === 'style' ? adoptedStyle(target) : target.createElement(name))
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Stands in for a style element: text set on it goes to a constructed sheet, removing it takes the sheet away. */
function adoptedStyle(page: Document): HTMLElement {
  const sheet = new CSSStyleSheet()
  page.adoptedStyleSheets.push(sheet)
  const element = page.createElement('template')
  let text = ''
  const set = (next: string) => {
    text = next
    sheet.replaceSync(next)
  }
  Object.defineProperty(element, 'textContent', { get: () => text, set })
  Object.defineProperty(element, 'innerText', { get: () => text, set })
  element.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((one) => one !== sheet)
    Element.prototype.remove.call(element)
  }
  return element
}

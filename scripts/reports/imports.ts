import { createRequire } from 'node:module'
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser'
import { root } from '../stage.ts'

const config = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as { options: ICruiseOptions }
const ROW = 30
const COLUMN = 250
const BOX = 170

/** Who imports whom, folder by folder, as a picture: importers at the left of what they import. */
export async function importsReport(): Promise<string> {
  const edges = await folderEdges()
  const folders = [...new Set([...edges.keys(), ...[...edges.values()].flatMap((to) => [...to.keys()])])].sort()
  const layers = layersOf(folders, edges)
  const place = new Map(layers.flatMap((layer, x) => layer.map((folder, y) => [folder, { x, y }] as const)))
  const width = layers.length * COLUMN
  const height = Math.max(...layers.map((layer) => layer.length)) * ROW + 40
  const lines = folders.flatMap((from) =>
    [...(edges.get(from) ?? new Map<string, number>())].map(([to, count]) =>
      line(place.get(from), place.get(to), count),
    ),
  )
  const boxes = folders.map((folder) => box(folder, place.get(folder)))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">
<title>Imports between the folders of Quarterdeck; a line's width is the number of imports</title>
<rect width="100%" height="100%" fill="#fff"/>
${lines.sort().join('\n')}
${boxes.join('\n')}
</svg>
`
}

/** How many imports go from one folder to another; tests left out. */
async function folderEdges(): Promise<Map<string, Map<string, number>>> {
  const { output } = await cruise(['apps', 'packages', 'features', 'local-cluster'], {
    ...config.options,
    baseDir: root,
    exclude: { path: '(\\.test\\.tsx?$)|^((apps|packages)/[^/]+/dist)/' },
  })
  const edges = new Map<string, Map<string, number>>()
  for (const { source, dependencies } of (output as ICruiseResult).modules) {
    for (const { resolved } of dependencies) {
      const [from, to] = [folderOf(source), folderOf(resolved)]
      if (!from || !to || from === to) continue
      const row = edges.get(from) ?? new Map<string, number>()
      edges.set(from, row.set(to, (row.get(to) ?? 0) + 1))
    }
  }
  return edges
}

const folderOf = (path: string): string | undefined =>
  /^(features\/[^/]+\/[^/]+|(?:apps|packages)\/[^/]+|local-cluster)\//.exec(path)?.[1]

/** Column 0 imports from all others; each folder stands right of everything that imports it, as far as there are no loops. */
function layersOf(folders: string[], edges: Map<string, Map<string, number>>): string[][] {
  const depth = new Map(folders.map((folder) => [folder, 0]))
  for (let round = 0; round < folders.length; round++) {
    for (const from of folders) {
      for (const to of edges.get(from)?.keys() ?? []) {
        const least = Math.min((depth.get(from) ?? 0) + 1, 7)
        if ((depth.get(to) ?? 0) < least && !edges.get(to)?.has(from)) depth.set(to, least)
      }
    }
  }
  const last = Math.max(...depth.values())
  return Array.from({ length: last + 1 }, (_, x) => folders.filter((folder) => depth.get(folder) === x))
}

type Place = { x: number; y: number } | undefined
const left = (place: Place) => (place?.x ?? 0) * COLUMN + 20
const top = (place: Place) => (place?.y ?? 0) * ROW + 20

function line(from: Place, to: Place, count: number): string {
  const [x1, y1, x2, y2] = [left(from) + BOX, top(from) + 11, left(to), top(to) + 11]
  const middle = (x1 + x2) / 2
  const width = Math.min(1 + Math.log2(count) / 2, 4).toFixed(1)
  return `<path d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}" fill="none" stroke="#8a94a3" stroke-opacity="0.5" stroke-width="${width}"/>`
}

function box(folder: string, place: Place): string {
  const fill = folder.startsWith('apps') ? '#e3edf9' : folder.startsWith('features') ? '#e6f4ea' : '#f3f4f6'
  return `<g><rect x="${left(place)}" y="${top(place)}" width="${BOX}" height="22" rx="4" fill="${fill}" stroke="#c3cad3"/><text x="${left(place) + 8}" y="${top(place) + 15}">${folder}</text></g>`
}

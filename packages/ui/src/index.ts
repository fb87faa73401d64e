import './styles/tokens.css'
import './styles/parts.css'
import './styles/table.css'
import './styles/overlay.css'

export { AmountFields } from './amount-fields.tsx'
export {
  type AskForCode,
  call,
  client,
  createQueryClient,
  detailOf,
  fieldError,
  onCodeRequired,
  type ReadInput,
  readKey,
  useRead,
  useReadAgain,
} from './api.tsx'
export { Button, ButtonLink, CopyButton, Menu, type MenuItem } from './button.tsx'
export { ConfirmDialog } from './confirm.tsx'
export { EventTable } from './event-table.tsx'
export { Facts } from './facts.tsx'
export { FileText } from './file-text.tsx'
export { matches } from './filter.ts'
export { FilterBox, type Suggestion } from './filter-box.tsx'
export { Check, Field, Note, Section, Select, TextInput } from './form.tsx'
export { Grid } from './grid/grid.tsx'
export type { GridColumn, GridSort } from './grid/grid-column.ts'
export { Heading } from './heading.tsx'
export { Icon, type IconName } from './icon.tsx'
export { Link, useGo, usePath, useSearch, useUrlValue } from './link.tsx'
export { type ListFreshness, type ListPage, type ListRow, LiveList, type LiveView } from './live/live-list.ts'
export { type LiveQuery, LiveSocket, type LiveState } from './live/live-socket.ts'
export { LogBuffer, type ShownLine } from './logs/log-buffer.ts'
export { LogScreen } from './logs/log-screen.tsx'
export { Permissions, useMay } from './may.tsx'
export { Meter } from './meter.tsx'
export { Code, Dialog } from './overlay.tsx'
export { type Act, ChangeDialog, ChangePanel } from './plan/change-panel.tsx'
export { FieldDiff } from './plan/field-diff.tsx'
export { PlanPanel } from './plan/plan-panel.tsx'
export { ShowAs } from './plan/show-as-panel.tsx'
export { Popover } from './popover.tsx'
export { type Share, Shares } from './shares.tsx'
export { Split } from './split.tsx'
export { Age, Elapsed, Empty, Failure, Read, Skeleton, Stage, State, secondsText, type Tone } from './state.tsx'
export { type Column, FilterLine, NoMatch, Table } from './table.tsx'
export { TerminalScreen } from './terminal/terminal-screen.tsx'
export type { SocketState } from './terminal/terminal-socket.ts'
export { defineTexts, type Language, type Say, type Texts, useLanguage, useText } from './text.ts'
export { chooseTheme, type Theme, useTheme } from './theme.ts'
export { isTyping } from './typing.ts'

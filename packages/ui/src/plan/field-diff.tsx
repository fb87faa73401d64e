import { useText } from '../text.ts'
import { partTexts } from '../texts.ts'
import { type FieldChangeView, valueText } from './plan.ts'

/** What differs in one object, field by field, before beside after. */
export function FieldDiff({ fields }: { fields: readonly FieldChangeView[] }) {
  const t = useText(partTexts)
  if (fields.length === 0) return null
  return (
    <table className="diff">
      <thead className="hidden">
        <tr>
          <th scope="col">{t('path')}</th>
          <th scope="col">{t('before')}</th>
          <th scope="col">{t('after')}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.path}>
            <th scope="row">
              <Path path={field.path} />
            </th>
            <Value text={valueText(field.before)} look="before" />
            <Value text={valueText(field.after)} look="after" />
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A field's path, which may break after its dots and nowhere else unless it must. */
function Path({ path }: { path: string }) {
  return path.split('.').map((member, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the members of a path have no other name
    <span key={index}>
      {index > 0 && '.'}
      {index > 0 && <wbr />}
      {member}
    </span>
  ))
}

function Value({ text, look }: { text: string | undefined; look: 'before' | 'after' }) {
  const t = useText(partTexts)
  return text === undefined ? <td className={`${look} none`}>{t('absent')}</td> : <td className={look}>{text}</td>
}

/** Copyable ways to connect a program, as tabs. Used by setup, the overview's empty state and Settings > Connect. */
import { useState } from 'react';
import { CodeBlock } from '../../ui/Copy.tsx';
import { TabBar } from '../../ui/TabBar.tsx';
import { buildSnippets } from './snippets.ts';
import './settings.css';

export function Snippets({
  endpoint,
  appId,
  apiKey,
}: {
  endpoint: string;
  appId: string;
  apiKey?: string | undefined;
}) {
  const [tab, setTab] = useState('typescript');
  const snippets = buildSnippets({ endpoint, appId, apiKey });
  return (
    <div className="snippets">
      <TabBar
        label="Ways to connect"
        value={tab}
        onChange={setTab}
        tabs={snippets.map(({ id, label, steps }) => ({
          id,
          label,
          body: () => (
            <ol className={steps.length > 1 ? 'snippet-steps' : 'snippet-steps single'}>
              {steps.map(step => (
                <li key={step.title}>
                  <p>{step.title}</p>
                  <CodeBlock code={step.code} what={step.what} />
                </li>
              ))}
            </ol>
          ),
        }))}
      />
    </div>
  );
}

package browse

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Store does what a [Model] asks for. Errors are sentences for people.
type Store interface {
	// Read reads the store.
	Read(ctx context.Context, tell func(prune.Progress)) (*prune.Survey, error)
	// Plan makes a plan by a policy, and Undo finds the last run that can be undone.
	Plan(ctx context.Context, policy prune.Policy) (*Proposal, error)
	Undo(ctx context.Context) (*Proposal, error)
}

// Proposal is something that can be done.
type Proposal struct {
	// Text says what would be done.
	Text Text
	// Do does it.
	Do func(ctx context.Context, grace bool, tell func(prune.Progress)) Outcome
}

// Outcome is what came of that.
type Outcome struct {
	Text Text
	// Err is why it was not done, or not all of it.
	Err error
	// Changed says that the store may be another than it was.
	Changed bool
}

// Terminal is where a program runs.
type Terminal struct {
	In  io.Reader
	Out io.Writer
	Now func() time.Time
	// Leave is told what restores the terminal, for whoever ends the process at once.
	Leave func(restore func())
}

// Run shows a store until it is left, or ctx ends. What is being done then is finished
// in order first. The error is that of what was interrupted, or of a store that could
// not be read.
func Run(ctx context.Context, term Terminal, look Look, store Store) error {
	work, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p := &program{Model: New(look, term.Now()), store: store, now: term.Now, ctx: work, cancel: cancel}
	t := tea.NewProgram(p, tea.WithInput(term.In), tea.WithOutput(term.Out), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))
	p.send = t.Send
	if term.Leave != nil {
		term.Leave(func() { _ = t.ReleaseTerminal() }) // the process ends, whatever comes of it
		defer term.Leave(nil)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			t.Send(interrupted{context.Cause(ctx)})
		case <-ended:
		}
	}()
	if _, err := t.Run(); err != nil {
		return err
	}
	return p.failed
}

// ErrInterrupted says that the person has pressed Ctrl-C.
var ErrInterrupted = errors.New("interrupted")

// framesPerSecond is how often the screen is drawn at most.
const framesPerSecond = 60

// program is a model as Bubble Tea sees it, with what is being done.
type program struct {
	*Model
	store  Store
	now    func() time.Time
	ctx    context.Context //nolint:containedctx // Bubble Tea's commands have none
	cancel context.CancelCauseFunc
	send   func(tea.Msg)
	// proposal is what was shown, busy what is being done.
	proposal *Proposal
	busy     bool
	// interrupted is why the program ends as soon as nothing is being done.
	interrupted error
	failed      error
}

// What a program is told besides keys.
type (
	interrupted struct{ why error }
	loaded      struct {
		survey *prune.Survey
		err    error
	}
	proposed struct {
		asked    Effect
		proposal *Proposal
		err      error
	}
	done   struct{ Outcome }
	tick   struct{}
	toward prune.Progress
)

func (p *program) Init() tea.Cmd { return tea.Batch(p.read(), p.tick()) }

// tick has the time on the screen go on while something is being done.
func (p *program) tick() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tick{} })
}

func (p *program) View() tea.View {
	v := tea.NewView(strings.Join(p.Model.View(p.now()), "\n"))
	v.AltScreen = true
	return v
}

func (p *program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.Width, p.Height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return p, p.do(p.Key(keyName(msg)))
	case interrupted:
		return p, p.interrupt(msg.why)
	case tick:
		return p, p.tick()
	case toward:
		p.Told(prune.Progress(msg))
	case loaded:
		return p, p.load(msg)
	case proposed:
		return p, p.propose(msg)
	case done:
		return p, p.finish(msg.Outcome)
	}
	return p, nil
}

// keyName is the text of a key that types some, and the name of any other.
func keyName(msg tea.KeyPressMsg) string {
	if text := msg.Key().Text; text != "" && text != " " {
		return text
	}
	return msg.String()
}

// do does what a key asks for.
func (p *program) do(effect Effect) tea.Cmd {
	switch effect {
	case Quit:
		return p.quit()
	case Suspend:
		return tea.Suspend
	case Stop:
		return p.interrupt(ErrInterrupted)
	case Read:
		p.Waiting("Reading the store", p.now())
		return p.read()
	case Plan:
		policy := p.Policy()
		p.Waiting("Planning", p.now())
		return p.work(func(ctx context.Context) tea.Msg {
			proposal, err := p.store.Plan(ctx, policy)
			return proposed{Plan, proposal, err}
		})
	case Undo:
		p.Waiting("Looking for the last run", p.now())
		return p.work(func(ctx context.Context) tea.Msg {
			proposal, err := p.store.Undo(ctx)
			return proposed{Undo, proposal, err}
		})
	case Do, DoWithGrace:
		proposal := p.proposal
		p.Waiting("Working", p.now())
		return p.work(func(ctx context.Context) tea.Msg { return done{proposal.Do(ctx, effect == DoWithGrace, p.tell)} })
	}
	return nil
}

// work does something that may take long.
func (p *program) work(do func(context.Context) tea.Msg) tea.Cmd {
	p.busy = true
	return func() tea.Msg { return do(p.ctx) }
}

func (p *program) tell(progress prune.Progress) { p.send(toward(progress)) }

func (p *program) read() tea.Cmd {
	return p.work(func(ctx context.Context) tea.Msg {
		survey, err := p.store.Read(ctx, p.tell)
		return loaded{survey, err}
	})
}

// interrupt ends what is being done in order, and then the program. The second time it
// ends at once.
func (p *program) interrupt(why error) tea.Cmd {
	again := p.interrupted != nil
	p.interrupted = why
	p.cancel(why)
	if !p.busy || again {
		return p.quit()
	}
	p.stopping = true
	return nil
}

// quit ends the program.
func (p *program) quit() tea.Cmd {
	if p.failed == nil {
		p.failed = p.interrupted
	}
	return tea.Quit
}

func (p *program) load(msg loaded) tea.Cmd {
	p.busy = false
	switch {
	case p.interrupted != nil:
		return p.quit()
	case msg.err != nil && p.tree == nil:
		p.failed = msg.err
		return p.quit()
	case msg.err != nil:
		p.Noting("The store cannot be read: " + msg.err.Error())
	default:
		p.Loaded(msg.survey, msg.survey.Usage)
	}
	return nil
}

func (p *program) propose(msg proposed) tea.Cmd {
	p.busy = false
	switch {
	case p.interrupted != nil:
		return p.quit()
	case msg.err != nil:
		p.Noting(msg.err.Error())
	default:
		p.proposal = msg.proposal
		p.Asking(msg.asked, msg.proposal.Text)
	}
	return nil
}

func (p *program) finish(o Outcome) tea.Cmd {
	p.busy = false
	if p.interrupted != nil {
		p.failed = o.Err
		return p.quit()
	}
	p.Showing(o.Text, o.Changed)
	return nil
}

// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// spinner [--below N] [--cancel-after MS]
//
// Counts prime numbers in the slowest way while the terminal shows that the program is
// alive. The counting is a plain function that knows nothing of main loops; all it does
// for its user is to say how far it is and to look whether it should stop. Enter, or the
// time given, cancels it.
//
//     $ spinner --below 100000
//     9592 prime numbers below 100000
//
// Exit status: 0; 1 if cancelled; 2 if called in a wrong way.

using GLib;
using Concur;

const string[] FRAMES = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };

// On a worker. A local variable here is the worker's own.
int count_primes (int below, Job job) throws Error {
	int count = 0;

	for (int number = 2; number < below; number++) {
		bool is_prime = true;
		for (int divisor = 2; is_prime && (int64) divisor * divisor <= number; divisor++)
			is_prime = number % divisor != 0;
		if (is_prime)
			count++;

		// Throws, and so ends the job as cancelled. It costs next to nothing.
		job.check_cancelled ();
		job.set_progress ((double) number / below);
	}
	return count;
}

class Spinner : Object {
	private bool on_terminal = Posix.isatty (Posix.STDERR_FILENO);
	private uint frame = 0;

	public Cancellable cancellable { get; default = new Cancellable (); }

	private void draw (double progress) {
		if (on_terminal)
			printerr ("\r%s %3.0f %%  (Enter cancels)", FRAMES[frame++ % FRAMES.length], progress * 100);
	}

	private void clear () {
		if (on_terminal)
			printerr ("\r\033[K");
	}

	// On the main thread throughout: it goes on after yield when the worker has ended.
	public async int run (int below) throws Error {
		var future = Executor.get_default ().submit_as<int> ((job) => count_primes (below, job), cancellable);
		uint timer = Timeout.add (80, () => {
			draw (future.progress);
			return Source.CONTINUE;
		});

		try {
			return yield future.result_as<int> ();
		} finally {
			Source.remove (timer);
			clear ();
		}
	}
}

// End of file is no Enter: a script's standard input may be empty.
async void cancel_on_enter (Cancellable cancellable) {
	var input = new DataInputStream (new UnixInputStream (Posix.STDIN_FILENO, false));

	try {
		if ((yield input.read_line_async ()) != null)
			cancellable.cancel ();
	} catch (Error e) {
		warning ("The standard input cannot be read: %s", e.message);
	}
}

int below = 5000000;
int cancel_after = 0;

const OptionEntry[] OPTIONS = {
	{ "below", 0, 0, OptionArg.INT, ref below, "How far to count", "N" },
	{ "cancel-after", 0, 0, OptionArg.INT, ref cancel_after, "When to cancel", "MS" },
	{}
};

int main (string[] args) {
	int status = 0;

	Intl.setlocale ();
	try {
		var context = new OptionContext ();
		context.add_main_entries (OPTIONS, null);
		context.parse (ref args);
	} catch (OptionError e) {
		printerr ("%s\n", e.message);
		return 2;
	}

	var loop = new MainLoop ();
	var spinner = new Spinner ();
	cancel_on_enter.begin (spinner.cancellable);
	if (cancel_after > 0)
		Timeout.add (cancel_after, () => { spinner.cancellable.cancel (); return Source.REMOVE; });
	spinner.run.begin (below, (object, result) => {
		try {
			print ("%d prime numbers below %d\n", spinner.run.end (result), below);
		} catch (IOError.CANCELLED e) {
			print ("Cancelled\n");
			status = 1;
		} catch (Error e) {
			printerr ("%s\n", e.message);
			status = 1;
		}
		loop.quit ();
	});
	loop.run ();

	return status;
}

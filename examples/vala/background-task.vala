// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// background-task [--seconds S]
//
// A thread with a main loop of its own writes down how busy the machine is, ten times a
// second, while the main thread is busy with something else: here it sleeps. When the
// thread is stopped, the task in it is cancelled, clears up and hands in what it has.
//
//     $ background-task
//     The main thread is busy for 1 s
//     9 samples, the last 0.42
//
// Exit status: 0; 1 after a problem; 2 if called in a wrong way.

using GLib;
using Concur;

// Everything in it belongs to the loop's thread until that has stopped.
class Sampler : Object {
	private double[] samples = {};

	public int n_samples { get { return samples.length; } }
	public double last { get { return samples[samples.length - 1]; } }

	private void sample () throws Error {
		string text;

		FileUtils.get_contents ("/proc/loadavg", out text);
		samples += double.parse (text);
	}

	// Started with the loop. The job is held: it ends when it is answered, which is after
	// somebody has cancelled it. Sources made in here are the loop's.
	public bool run (Job job) throws Error {
		var ticker = new TimeoutSource (100);
		var stopper = new CancellableSource (job.get_cancellable ());

		sample ();
		ticker.set_callback (() => {
			try {
				sample ();
			} catch (Error e) {
				stopper.destroy ();
				job.return_error (e);
				return Source.REMOVE;
			}
			return Source.CONTINUE;
		});
		stopper.set_callback (() => {
			ticker.destroy ();
			job.return_value ();
			return Source.REMOVE;
		});
		ticker.attach (MainContext.get_thread_default ());
		stopper.attach (MainContext.get_thread_default ());
		job.hold ();
		return true;
	}
}

double seconds = 1;

const OptionEntry[] OPTIONS = {
	{ "seconds", 0, 0, OptionArg.DOUBLE, ref seconds, "How long the main thread is busy", "S" },
	{}
};

int main (string[] args) {
	Intl.setlocale ();
	try {
		var context = new OptionContext ();
		context.add_main_entries (OPTIONS, null);
		context.parse (ref args);
	} catch (OptionError e) {
		printerr ("%s\n", e.message);
		return 2;
	}

	try {
		var thread = new LoopThread ("sampler");
		var sampler = new Sampler ();

		thread.add_task (sampler.run);
		thread.start ();
		print ("The main thread is busy for %g s\n", seconds);
		Thread.usleep ((ulong) (seconds * TimeSpan.SECOND));
		thread.stop (5 * TimeSpan.SECOND);

		// The thread is over, so what was its own is ours now.
		print ("%d samples, the last %.2f\n", sampler.n_samples, sampler.last);
	} catch (Error e) {
		printerr ("%s\n", e.message);
		return 1;
	}
	return 0;
}

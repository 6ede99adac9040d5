// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What Vala alone has: functions that return their answer, and results of the type that
// the caller names. A type parameter can be any type that generics of Vala take: a class,
// a string, a boxed structure, int or bool as they are, int64? and double? with a question
// mark, and void.

namespace Concur {
	// Runs on a thread of the executor and answers by returning or throwing.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaWork", instance_pos = 1.9)]
	public delegate T Work<T> (Concur.Job job) throws GLib.Error;

	// The same, going on from a future that is done.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaStep", instance_pos = 2.9)]
	public delegate T Step<T> (Concur.Job job, Concur.Future input) throws GLib.Error;

	public interface Executor : GLib.Object {
		// Runs the work there and goes on here with its result. The cancellable is for the
		// work: this ends when that has.
		[CCode (cname = "concur_vala_run", finish_name = "concur_vala_run_finish")]
		public async T run<T> (owned Concur.Work<T> work, GLib.Cancellable? cancellable = null) throws GLib.Error;

		// The same without waiting for the result.
		[CCode (cname = "concur_vala_submit")]
		public Concur.Future submit_as<T> (owned Concur.Work<T> work, GLib.Cancellable? cancellable = null);
	}

	public abstract class Future : GLib.Object {
		// Waits in the main loop. The cancellable gives up the waiting, not the work.
		[CCode (cname = "concur_vala_result", finish_name = "concur_vala_result_finish")]
		public async T result_as<T> (GLib.Cancellable? cancellable = null) throws GLib.Error;

		// Waits and blocks.
		[CCode (cname = "concur_vala_wait")]
		public T wait_as<T> (int64 timeout_us = -1) throws GLib.Error;

		// Does not wait: FutureError.PENDING if there is no result yet.
		[CCode (cname = "concur_vala_value")]
		public T value_as<T> () throws GLib.Error;

		// Goes on when this is resolved, or, the second, when it is rejected.
		[CCode (cname = "concur_vala_continue")]
		public Concur.Future continue_as<T> (owned Concur.Step<T> step, Concur.Executor? executor = null);
		[CCode (cname = "concur_vala_recover")]
		public Concur.Future recover_as<T> (owned Concur.Step<T> step, Concur.Executor? executor = null);
	}

	public class LoopThread : GLib.Object, Concur.Executor {
		// Runs the work in the loop and waits for its result here.
		[CCode (cname = "concur_vala_call")]
		public T call_as<T> (owned Concur.Work<T> work, int64 timeout_us = -1) throws GLib.Error;
	}
}

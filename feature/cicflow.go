package feature

import (
	"slices"
	"strings"
)

// Where the columns' definitions come from.
const (
	srcCIC       = "Lashkari et al., Characterization of Tor Traffic using Time based Features, ICISSP 2017 (CICFlowMeter)"
	srcCorrected = "Engelen et al., Troubleshooting an Intrusion Detection Dataset, WTMC 2021; Liu et al., Error Prevalence in NIDS datasets, IEEE CNS 2022"
)

// cic is one column of CICFlowMeter in both of its dialects.
type cic struct {
	name    string // as ML-IDS spells it
	h2018   string // header in CSE-CIC-IDS2018; "" when that version lacks the column
	hV4     string // header in CICIDS2017 improved and CICFlowMeter 4; "" when it lacks the column
	h2017   string // further headers, of the original CICIDS2017 and its time, separated by |
	kind    Kind
	unit    string
	meaning string // in cicflow/v4
	in2018  string // what the 2018 files really hold, where that differs; such a column is not part of cicflow/common
	opts    cicOption
}

type cicOption uint8

const (
	identity cicOption = 1 << iota // Column.Identity
	optional                       // Column.Optional
)

// cicColumns lists the columns in the order of the tools' files. Lengths are of transport payloads, in bytes; forward is
// the direction of the flow's first packet; standard deviations divide by n-1; a statistic of nothing is 0.
var cicColumns = []cic{
	{"flow_id", "Flow ID", "Flow ID", "", Text, "", "Addresses, ports and protocol in one string.", "", identity},
	{"src_ip", "Src IP", "Src IP", "Source IP", Text, "", "Address of the side that sent the first packet.", "", identity},
	{"src_port", "Src Port", "Src Port", "Source Port", Integer, "", "Its port.", "", identity},
	{"dst_ip", "Dst IP", "Dst IP", "Destination IP", Text, "", "Address of the other side.", "", identity},
	{"dst_port", "Dst Port", "Dst Port", "Destination Port", Integer, "", "Its port.", "", identity},
	{"protocol", "Protocol", "Protocol", "", Integer, "", "IP protocol number of TCP, UDP and ICMP; 0 for all others.", "IP protocol number of TCP and UDP; 0 for all others.", 0},
	{"timestamp", "Timestamp", "Timestamp", "", Time, "", "Time of the first packet.", "", identity},
	{"flow_duration", "Flow Duration", "Flow Duration", "", Integer, "µs", "Time from the first packet to the last.", "", 0},
	{"tot_fwd_pkts", "Tot Fwd Pkts", "Total Fwd Packet", "Total Fwd Packets", Integer, "packets", "Packets forward.", "", 0},
	{"tot_bwd_pkts", "Tot Bwd Pkts", "Total Bwd packets", "Total Backward Packets", Integer, "packets", "Packets backward.", "", 0},
	{"totlen_fwd_pkts", "TotLen Fwd Pkts", "Total Length of Fwd Packet", "Total Length of Fwd Packets", Real, "bytes", "Sum of payload lengths forward.", "", 0},
	{"totlen_bwd_pkts", "TotLen Bwd Pkts", "Total Length of Bwd Packet", "Total Length of Bwd Packets", Real, "bytes", "Sum of payload lengths backward.", "", 0},
	{"fwd_pkt_len_max", "Fwd Pkt Len Max", "Fwd Packet Length Max", "", Real, "bytes", "Largest payload forward.", "", 0},
	{"fwd_pkt_len_min", "Fwd Pkt Len Min", "Fwd Packet Length Min", "", Real, "bytes", "Smallest payload forward.", "", 0},
	{"fwd_pkt_len_mean", "Fwd Pkt Len Mean", "Fwd Packet Length Mean", "", Real, "bytes", "Mean payload forward.", "", 0},
	{"fwd_pkt_len_std", "Fwd Pkt Len Std", "Fwd Packet Length Std", "", Real, "bytes", "Standard deviation of payloads forward.", "", 0},
	{"bwd_pkt_len_max", "Bwd Pkt Len Max", "Bwd Packet Length Max", "", Real, "bytes", "Largest payload backward.", "", 0},
	{"bwd_pkt_len_min", "Bwd Pkt Len Min", "Bwd Packet Length Min", "", Real, "bytes", "Smallest payload backward.", "", 0},
	{"bwd_pkt_len_mean", "Bwd Pkt Len Mean", "Bwd Packet Length Mean", "", Real, "bytes", "Mean payload backward.", "", 0},
	{"bwd_pkt_len_std", "Bwd Pkt Len Std", "Bwd Packet Length Std", "", Real, "bytes", "Standard deviation of payloads backward.", "", 0},
	{"flow_byts_s", "Flow Byts/s", "Flow Bytes/s", "", Real, "bytes/s", "Payload bytes of both directions by duration.", "", 0},
	{"flow_pkts_s", "Flow Pkts/s", "Flow Packets/s", "", Real, "packets/s", "Packets of both directions by duration.", "", 0},
	{"flow_iat_mean", "Flow IAT Mean", "Flow IAT Mean", "", Real, "µs", "Mean time between packets of either direction.", "", 0},
	{"flow_iat_std", "Flow IAT Std", "Flow IAT Std", "", Real, "µs", "Standard deviation of that time.", "", 0},
	{"flow_iat_max", "Flow IAT Max", "Flow IAT Max", "", Real, "µs", "Longest time between packets.", "", 0},
	{"flow_iat_min", "Flow IAT Min", "Flow IAT Min", "", Real, "µs", "Shortest time between packets.", "", 0},
	{"fwd_iat_tot", "Fwd IAT Tot", "Fwd IAT Total", "", Real, "µs", "Time from the first forward packet to the last.", "", 0},
	{"fwd_iat_mean", "Fwd IAT Mean", "Fwd IAT Mean", "", Real, "µs", "Mean time between forward packets.", "", 0},
	{"fwd_iat_std", "Fwd IAT Std", "Fwd IAT Std", "", Real, "µs", "Standard deviation of that time.", "", 0},
	{"fwd_iat_max", "Fwd IAT Max", "Fwd IAT Max", "", Real, "µs", "Longest time between forward packets.", "", 0},
	{"fwd_iat_min", "Fwd IAT Min", "Fwd IAT Min", "", Real, "µs", "Shortest time between forward packets.", "", 0},
	{"bwd_iat_tot", "Bwd IAT Tot", "Bwd IAT Total", "", Real, "µs", "Time from the first backward packet to the last.", "", 0},
	{"bwd_iat_mean", "Bwd IAT Mean", "Bwd IAT Mean", "", Real, "µs", "Mean time between backward packets.", "", 0},
	{"bwd_iat_std", "Bwd IAT Std", "Bwd IAT Std", "", Real, "µs", "Standard deviation of that time.", "", 0},
	{"bwd_iat_max", "Bwd IAT Max", "Bwd IAT Max", "", Real, "µs", "Longest time between backward packets.", "", 0},
	{"bwd_iat_min", "Bwd IAT Min", "Bwd IAT Min", "", Real, "µs", "Shortest time between backward packets.", "", 0},
	{"fwd_psh_flags", "Fwd PSH Flags", "Fwd PSH Flags", "", Integer, "packets", "Forward packets with PSH.", "1 when the first packet has PSH.", 0},
	{"bwd_psh_flags", "Bwd PSH Flags", "Bwd PSH Flags", "", Integer, "packets", "Backward packets with PSH.", "Always 0.", 0},
	{"fwd_urg_flags", "Fwd URG Flags", "Fwd URG Flags", "", Integer, "packets", "Forward packets with URG.", "1 when the first packet has URG.", 0},
	{"bwd_urg_flags", "Bwd URG Flags", "Bwd URG Flags", "", Integer, "packets", "Backward packets with URG.", "Always 0.", 0},
	{"fwd_rst_flags", "", "Fwd RST Flags", "", Integer, "packets", "Forward packets with RST.", "", 0},
	{"bwd_rst_flags", "", "Bwd RST Flags", "", Integer, "packets", "Backward packets with RST.", "", 0},
	{"fwd_header_len", "Fwd Header Len", "Fwd Header Length", "", Integer, "bytes", "Sum of transport headers forward, options included.", "", 0},
	{"bwd_header_len", "Bwd Header Len", "Bwd Header Length", "", Integer, "bytes", "Sum of transport headers backward, options included.", "", 0},
	{"fwd_pkts_s", "Fwd Pkts/s", "Fwd Packets/s", "", Real, "packets/s", "Forward packets by duration.", "", 0},
	{"bwd_pkts_s", "Bwd Pkts/s", "Bwd Packets/s", "", Real, "packets/s", "Backward packets by duration.", "", 0},
	{"pkt_len_min", "Pkt Len Min", "Packet Length Min", "Min Packet Length", Real, "bytes", "Smallest payload of either direction.", "", 0},
	{"pkt_len_max", "Pkt Len Max", "Packet Length Max", "Max Packet Length", Real, "bytes", "Largest payload of either direction.", "", 0},
	{"pkt_len_mean", "Pkt Len Mean", "Packet Length Mean", "", Real, "bytes", "Mean payload of either direction.", "Mean payload with the first packet counted twice.", 0},
	{"pkt_len_std", "Pkt Len Std", "Packet Length Std", "", Real, "bytes", "Standard deviation of payloads of either direction.", "The same with the first packet counted twice.", 0},
	{"pkt_len_var", "Pkt Len Var", "Packet Length Variance", "", Real, "bytes²", "Variance of payloads of either direction.", "The same with the first packet counted twice.", 0},
	{"fin_flag_cnt", "FIN Flag Cnt", "FIN Flag Count", "", Integer, "packets", "Packets with FIN.", "1 when the first packet has RST.", 0},
	{"syn_flag_cnt", "SYN Flag Cnt", "SYN Flag Count", "", Integer, "packets", "Packets with SYN.", "1 when the first packet has PSH.", 0},
	{"rst_flag_cnt", "RST Flag Cnt", "RST Flag Count", "", Integer, "packets", "Packets with RST.", "1 when the first packet has ECE.", 0},
	{"psh_flag_cnt", "PSH Flag Cnt", "PSH Flag Count", "", Integer, "packets", "Packets with PSH.", "1 when the first packet has SYN.", 0},
	{"ack_flag_cnt", "ACK Flag Cnt", "ACK Flag Count", "", Integer, "packets", "Packets with ACK.", "1 when the first packet has ACK.", 0},
	{"urg_flag_cnt", "URG Flag Cnt", "URG Flag Count", "", Integer, "packets", "Packets with URG.", "1 when the first packet has FIN.", 0},
	{"cwe_flag_count", "CWE Flag Count", "CWR Flag Count", "", Integer, "packets", "Packets with CWR.", "1 when the first packet has URG.", 0},
	{"ece_flag_cnt", "ECE Flag Cnt", "ECE Flag Count", "", Integer, "packets", "Packets with ECE.", "1 when the first packet has CWR.", 0},
	{"down_up_ratio", "Down/Up Ratio", "Down/Up Ratio", "", Real, "", "Backward packets by forward packets.", "The same, rounded down.", 0},
	{"pkt_size_avg", "Pkt Size Avg", "Average Packet Size", "", Real, "bytes", "Mean payload of either direction.", "Sum of payloads plus the first one again, by packets.", 0},
	{"fwd_seg_size_avg", "Fwd Seg Size Avg", "Fwd Segment Size Avg", "Avg Fwd Segment Size", Real, "bytes", "Mean payload forward.", "", 0},
	{"bwd_seg_size_avg", "Bwd Seg Size Avg", "Bwd Segment Size Avg", "Avg Bwd Segment Size", Real, "bytes", "Mean payload backward.", "", 0},
	{"fwd_byts_b_avg", "Fwd Byts/b Avg", "Fwd Bytes/Bulk Avg", "Fwd Avg Bytes/Bulk", Real, "bytes", "Mean bytes of a bulk forward: at least four data packets at most 1 s apart.", "Always 0.", 0},
	{"fwd_pkts_b_avg", "Fwd Pkts/b Avg", "Fwd Packet/Bulk Avg", "Fwd Avg Packets/Bulk", Real, "packets", "Mean packets of a bulk forward.", "Always 0.", 0},
	{"fwd_blk_rate_avg", "Fwd Blk Rate Avg", "Fwd Bulk Rate Avg", "Fwd Avg Bulk Rate", Real, "bytes/s", "Bytes by time of all bulks forward.", "Always 0.", 0},
	{"bwd_byts_b_avg", "Bwd Byts/b Avg", "Bwd Bytes/Bulk Avg", "Bwd Avg Bytes/Bulk", Real, "bytes", "Mean bytes of a bulk backward.", "Always 0.", 0},
	{"bwd_pkts_b_avg", "Bwd Pkts/b Avg", "Bwd Packet/Bulk Avg", "Bwd Avg Packets/Bulk", Real, "packets", "Mean packets of a bulk backward.", "Always 0.", 0},
	{"bwd_blk_rate_avg", "Bwd Blk Rate Avg", "Bwd Bulk Rate Avg", "Bwd Avg Bulk Rate", Real, "bytes/s", "Bytes by time of all bulks backward.", "Always 0.", 0},
	{"subflow_fwd_pkts", "Subflow Fwd Pkts", "Subflow Fwd Packets", "", Real, "packets", "Forward packets by subflows: parts of the flow more than 1 s apart.", "Forward packets of the flow.", 0},
	{"subflow_fwd_byts", "Subflow Fwd Byts", "Subflow Fwd Bytes", "", Real, "bytes", "Forward payload by subflows.", "Forward payload of the flow.", 0},
	{"subflow_bwd_pkts", "Subflow Bwd Pkts", "Subflow Bwd Packets", "", Real, "packets", "Backward packets by subflows.", "Backward packets of the flow.", 0},
	{"subflow_bwd_byts", "Subflow Bwd Byts", "Subflow Bwd Bytes", "", Real, "bytes", "Backward payload by subflows.", "Backward payload of the flow.", 0},
	{"init_fwd_win_byts", "Init Fwd Win Byts", "FWD Init Win Bytes", "Init_Win_bytes_forward|Init Win Bytes Fwd", Integer, "bytes", "TCP window of the first forward packet, unscaled; 0 without TCP.", "The same; -1 without TCP.", 0},
	{"init_bwd_win_byts", "Init Bwd Win Byts", "Bwd Init Win Bytes", "Init_Win_bytes_backward|Init Win Bytes Bwd", Integer, "bytes", "TCP window of the first backward packet, unscaled; 0 when there is none.", "TCP window of the last backward packet; -1 when there is none.", 0},
	{"fwd_act_data_pkts", "Fwd Act Data Pkts", "Fwd Act Data Pkts", "act_data_pkt_fwd|Act Data Pkt Fwd", Integer, "packets", "Forward packets with payload.", "The same without the first packet.", 0},
	{"bwd_act_data_pkts", "", "Bwd Act Data Pkts", "", Integer, "packets", "Backward packets with payload.", "", optional},
	{"fwd_seg_size_min", "Fwd Seg Size Min", "Fwd Seg Size Min", "min_seg_size_forward|Min Seg Size Fwd", Integer, "bytes", "Smallest transport header forward.", "", 0},
	{"bwd_seg_size_min", "", "Bwd Seg Size Min", "", Integer, "bytes", "Smallest transport header backward of a flow whose first packet went backward, else 0: the tool lets its minimum start there.", "", optional},
	{"active_mean", "Active Mean", "Active Mean", "", Real, "µs", "Mean time that the flow was active before a pause of more than 5 s.", "", 0},
	{"active_std", "Active Std", "Active Std", "", Real, "µs", "Standard deviation of that time.", "", 0},
	{"active_max", "Active Max", "Active Max", "", Real, "µs", "Longest active time.", "", 0},
	{"active_min", "Active Min", "Active Min", "", Real, "µs", "Shortest active time.", "", 0},
	{"idle_mean", "Idle Mean", "Idle Mean", "", Real, "µs", "Mean pause of more than 5 s.", "", 0},
	{"idle_std", "Idle Std", "Idle Std", "", Real, "µs", "Standard deviation of those pauses.", "", 0},
	{"idle_max", "Idle Max", "Idle Max", "", Real, "µs", "Longest pause.", "", 0},
	{"idle_min", "Idle Min", "Idle Min", "", Real, "µs", "Shortest pause of more than 5 s.", "", 0},
	{"icmp_code", "", "ICMP Code", "", Integer, "", "ICMP code of the first packet; -1 without ICMP.", "", 0},
	{"icmp_type", "", "ICMP Type", "", Integer, "", "ICMP type of the first packet; -1 without ICMP.", "", 0},
	{"fwd_tcp_retrans_count", "", "Fwd TCP Retrans. Count", "", Integer, "packets", "Forward packets that repeat an earlier one.", "", optional},
	{"bwd_tcp_retrans_count", "", "Bwd TCP Retrans. Count", "", Integer, "packets", "Backward packets that repeat an earlier one.", "", optional},
	{"total_tcp_retrans_count", "", "Total TCP Retrans. Count", "", Integer, "packets", "Packets that repeat an earlier one.", "", optional},
	{"total_connection_flow_time", "", "Total Connection Flow Time", "Total TCP Flow Time", Integer, "µs", "Time since the connection began, over all flows into which time-outs cut it.", "", 0},
}

// cicLabel are the spellings of the label's column.
var cicLabel = []string{"label"}

func (c cic) column(header string, aliases ...string) Column {
	return Column{
		Name: c.name, Kind: c.kind, Unit: c.unit, Meaning: c.meaning, Source: srcCIC,
		Header: header, Aliases: nonEmpty(append(aliases, strings.Split(c.h2017, "|")...)),
		Identity: c.opts&identity != 0, Optional: c.opts&optional != 0,
	}
}

// cicflowV4 is CICFlowMeter with the corrections under which CICIDS2017 and 2018 were generated again.
func cicflowV4() Schema {
	s := Schema{Name: "cicflow", Version: "v4", Label: cicLabel, Headed: true, Ratios: cicRatios()}
	for _, c := range cicColumns {
		if c.hV4 == "" {
			continue
		}
		col := c.column(c.hV4, c.h2018)
		col.Source = srcCorrected
		s.Columns = append(s.Columns, col)
	}
	return s
}

// cicflow2018 is what the files of CSE-CIC-IDS2018 really hold.
func cicflow2018() Schema {
	s := Schema{Name: "cicflow", Version: "2018", Label: cicLabel, Headed: true, Ratios: cicRatios()}
	for _, c := range cicColumns {
		if c.h2018 == "" {
			continue
		}
		col := c.column(c.h2018, c.hV4)
		if c.in2018 != "" {
			col.Meaning = c.in2018
		}
		s.Columns = append(s.Columns, col)
	}
	return s
}

// cicflowCommon has the columns that mean the same in both dialects, so that one model can judge rows of either.
func cicflowCommon() Schema {
	s := Schema{Name: "cicflow", Version: "common", Label: cicLabel, Headed: true, Ratios: cicRatios()}
	for _, c := range cicColumns {
		if c.h2018 != "" && c.hV4 != "" && c.in2018 == "" {
			s.Columns = append(s.Columns, c.column(c.hV4, c.h2018))
		}
	}
	return s
}

// cicRatios are those that mean something whatever the flow's size: who talks more, how even lengths and gaps are, how much of
// the time is a pause, how long headers are (options of TCP).
func cicRatios() []Ratio {
	return []Ratio{
		{"tot_bwd_pkts", "tot_fwd_pkts"}, {"totlen_bwd_pkts", "totlen_fwd_pkts"},
		{"fwd_pkt_len_max", "fwd_pkt_len_mean"}, {"bwd_pkt_len_max", "bwd_pkt_len_mean"},
		{"flow_iat_std", "flow_iat_mean"}, {"fwd_iat_std", "fwd_iat_mean"}, {"bwd_iat_std", "bwd_iat_mean"},
		{"flow_iat_max", "flow_duration"}, {"idle_max", "flow_duration"},
		{"fwd_iat_tot", "flow_duration"}, {"bwd_iat_tot", "flow_duration"},
		{"fwd_header_len", "tot_fwd_pkts"}, {"bwd_header_len", "tot_bwd_pkts"},
	}
}

func nonEmpty(spellings []string) []string {
	return slices.DeleteFunc(spellings, func(s string) bool { return s == "" })
}
